"""How unusual each node is, learned from its graph alone: a graph autoencoder, after DOMINANT (Ding et al. 2019)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from metier_contracts import CallContext, Graph
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from metier_gnn.adjacency import adjacency
from metier_gnn.features import node_features
from metier_gnn.messages import Messages
from metier_gnn.network import Scale
from metier_gnn.options import ScratchOptions
from metier_gnn.placing import tensor_of
from metier_gnn.upstream import GCNConv


class Autoencoder(nn.Module):
    """Two layers of GCN into a narrow code, from which edges and features are told again."""

    def __init__(self, columns: int, hidden: int) -> None:
        super().__init__()
        self.scale = Scale(columns)
        self.first = GCNConv(columns, hidden, normalize=False)
        self.second = GCNConv(hidden, hidden, normalize=False)
        self.features = GCNConv(hidden, columns, normalize=False)

    def forward(self, x: torch.Tensor, messages: Messages) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the codes [N, hidden] and the features told from them [N, F], scaled."""
        code = messages.through(self.second, messages.through(self.first, x).relu())
        return code, messages.through(self.features, code.relu())


def unusual(graph: Graph, options: ScratchOptions, device: str, seed: int, context: CallContext) -> NDArray[np.float32]:
    """Return float32 [N], higher for nodes whose features or edges the rest of the graph does not explain.

    The score is a weighted sum of two errors of the autoencoder, each divided by its mean over the nodes: of the node's
    features, and of its edges and as many pairs that are no edges.
    """
    x = tensor_of(node_features(graph), device)
    matrix = adjacency(graph.edge_index, graph.num_nodes, both_ways=True)
    messages = Messages.of(matrix, "gcn", device)
    edges = tensor_of(graph.edge_index, device)
    devices = [torch.device(device)] if device.startswith("cuda") else []
    with torch.random.fork_rng(devices=devices), torch.enable_grad():
        torch.manual_seed(seed)
        model = Autoencoder(x.shape[1], options.hidden).to(device)
        model.scale.learn(x)
        scaled = model.scale(x)
        optimizer = torch.optim.Adam(model.parameters(), lr=options.learning_rate)
        for _ in range(options.epochs):
            context.check()
            optimizer.zero_grad()
            of_features, of_edges = _errors(model, scaled, messages, edges)
            loss: Any = options.attributes * of_features.mean() + (1 - options.attributes) * of_edges.mean()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            errors = _errors(model, scaled, messages, edges)
    parts = [error / error.mean().clamp(min=1e-12) for error in errors]
    score: NDArray[np.float32] = (options.attributes * parts[0] + (1 - options.attributes) * parts[1]).cpu().numpy()
    return score


def _errors(
    model: Autoencoder, x: torch.Tensor, messages: Messages, edges: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the errors [N] of each node's features, and of its edges and as many drawn pairs."""
    code, told = model(x, messages)
    of_features = (told - x).square().mean(dim=1)
    drawn = torch.randint(len(x), edges.shape, device=edges.device)
    pairs = torch.cat([edges, torch.stack([edges[0], drawn[0]]), torch.stack([drawn[1], edges[1]])], dim=1)
    truth = torch.zeros(pairs.shape[1], device=edges.device)
    truth[: edges.shape[1]] = 1
    # Not code[pairs[0]]: on several threads its gradient is summed in another order each time.
    logits = (code.index_select(0, pairs[0]) * code.index_select(0, pairs[1])).sum(dim=1)
    losses = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    total, count = torch.zeros(2, len(x), device=x.device)
    for end in pairs:
        total = total.index_add(0, end, losses)
        count = count.index_add(0, end, torch.ones_like(losses))
    return of_features, total / count.clamp(min=1)
