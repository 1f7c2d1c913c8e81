"""`Network`: layers of PyG that embed nodes, and a head that scores nodes, pairs of nodes, or graphs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from metier_gnn.config import NetworkConfig
from metier_gnn.features import columns_of
from metier_gnn.messages import Messages
from metier_gnn.pairs import PAIR_COLUMNS
from metier_gnn.upstream import GATConv, GCNConv, GINConv, SAGEConv, global_add_pool, global_max_pool, global_mean_pool


@dataclass(frozen=True, slots=True)
class Batch:
    """Nodes with their messages, and what of them is asked.

    `x`: float32 [N, F]. At node level `rows`: int64 [K], or None for every node. At edge level `pairs`: int64 [2, K],
    and `about`: float32 [K, P], what is known of each pair. At graph level `graph_of`: int64 [N] and `num_graphs`.
    """

    x: torch.Tensor
    messages: Messages
    rows: torch.Tensor | None = None
    pairs: torch.Tensor | None = None
    about: torch.Tensor | None = None
    graph_of: torch.Tensor | None = None
    num_graphs: int = 0


class Scale(nn.Module):
    """Brings columns to mean 0 and deviation 1, as they were where the network was fitted."""

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(columns))
        self.register_buffer("deviation", torch.ones(columns))

    def learn(self, values: torch.Tensor) -> None:
        """Take mean and deviation of the first columns from values [N, C]; one that never changes keeps its width."""
        columns = values.shape[1]
        deviation = values.std(dim=0, correction=0)
        self.mean[:columns] = values.mean(dim=0)
        self.deviation[:columns] = torch.where(deviation > 1e-6, deviation, torch.ones_like(deviation))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return the values, scaled."""
        return (values - self.mean) / self.deviation

    def back(self, values: torch.Tensor) -> torch.Tensor:
        """Return scaled values as they were."""
        return values * self.deviation + self.mean


class Network(nn.Module):
    """A network as its config says, with weights drawn from torch's generator."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        columns = columns_of(config.features, config.edge_features)
        about = _about_columns(config)
        self.scale = Scale(columns)
        self.about_scale = Scale(about)
        self.value_scale = Scale(config.outputs)
        self.size_scale = Scale(1)
        widths = [columns] + [config.hidden] * config.layers
        self.layers = nn.ModuleList(_layer(config, *pair) for pair in pairwise(widths))
        self.dropout = nn.Dropout(config.dropout)
        self.head = _head(config, about)

    def embed(self, batch: Batch) -> torch.Tensor:
        """Return float32 [N, hidden]."""
        values: torch.Tensor = self.scale(batch.x)
        for layer in self.layers:
            values = self.dropout(batch.messages.through(layer, values).relu())
        return values

    def read(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the head's outputs [K, outputs], before they are made scores, and the embeddings [K, D], if any."""
        nodes = self.embed(batch)
        if self.config.level == "node":
            asked = nodes if batch.rows is None else nodes.index_select(0, batch.rows)
            return self.head(asked), asked
        if self.config.level == "graph":
            graphs = self._pool(nodes, batch)
            return self.head(graphs), graphs
        return self.head(self._pair(nodes, batch)), None

    def _pool(self, nodes: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Return mean, maximum and sum over each graph's nodes: the sum tells large graphs from small ones."""
        parts = [
            pool(nodes, batch.graph_of, size=batch.num_graphs)
            for pool in (global_mean_pool, global_max_pool, global_add_pool)
        ]
        return torch.cat([*parts[:2], parts[2] / self.size_scale.mean.clamp(min=1)], dim=1)

    def _pair(self, nodes: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Return what is read of each pair; where edges have no direction, the same from both ends."""
        if batch.pairs is None or batch.about is None:
            raise ValueError("a batch at edge level holds pairs")
        # Not nodes[batch.pairs[0]]: on several threads its gradient is summed in another order each time.
        one, other = (nodes.index_select(0, ends) for ends in batch.pairs)
        ends = [one, other] if self.config.both_ways else [(one - other).abs(), one + other]
        return torch.cat([*ends, one * other, self.about_scale(batch.about)], dim=1)

    def scores(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return the head's outputs as scores: probabilities, or values in their own unit."""
        if self.config.goal == "classes":
            return outputs.softmax(dim=1)
        return outputs.sigmoid() if self.config.goal == "link" else self.value_scale.back(outputs)


def _about_columns(config: NetworkConfig) -> int:
    if config.level != "edge":
        return 0
    return config.edge_features + (PAIR_COLUMNS if config.architecture == "edge" else 0)


def _layer(config: NetworkConfig, width: int, hidden: int) -> Any:
    match config.architecture:
        case "gcn":
            return GCNConv(width, hidden, normalize=False)
        case "gat":
            return GATConv(width, hidden // config.heads, heads=config.heads, add_self_loops=False)
        case "gin":
            # Sums grow with the degree: the norm keeps hubs in the range of the others.
            inner = nn.Sequential(nn.Linear(width, hidden), nn.LayerNorm(hidden), nn.ReLU(), nn.Linear(hidden, hidden))
            return GINConv(inner, train_eps=True)
        case _:
            return SAGEConv(width, hidden, aggr="sum")  # of a matrix that takes the mean


def _head(config: NetworkConfig, about: int) -> nn.Module:
    hidden = config.hidden
    if config.level == "node":
        return nn.Linear(hidden, config.outputs)
    return nn.Sequential(
        nn.Linear(3 * hidden + about, hidden), nn.ReLU(), nn.Dropout(config.dropout), nn.Linear(hidden, config.outputs)
    )
