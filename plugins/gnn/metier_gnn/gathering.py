"""Several graphs as one, without an edge between them: a pass takes many, and each is scored as if alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from metier_contracts import CallContext, Graph, GraphScore, GraphScores, MetierError, Request, Response
from metier_contracts.authoring import attempt

from metier_gnn.adjacency import Edges, Matrix, adjacency, joined
from metier_gnn.config import NetworkConfig
from metier_gnn.features import Columns, node_features
from metier_gnn.messages import Messages
from metier_gnn.network import Batch
from metier_gnn.pairs import common_neighbours
from metier_gnn.placing import tensor_of


@dataclass(frozen=True, slots=True)
class Gathered:
    """Graphs as one: `x` float32 [N, F] as a network reads it, `matrix` [N, N], and the number of each one's nodes."""

    x: Columns
    matrix: Matrix
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, graphs: Sequence[Graph], config: NetworkConfig, features: Sequence[Columns] | None = None) -> Gathered:
        """Gather graphs for a network; `features`: what it reads of each one's nodes, where that is known already."""
        sizes = tuple(graph.num_nodes for graph in graphs)
        edges = joined([graph.edge_index for graph in graphs], sizes)
        if features is None:
            features = [node_features(graph, with_edges=config.edge_features > 0) for graph in graphs]
        x = features[0] if len(features) == 1 else np.concatenate(features)
        return cls(x, adjacency(edges, len(x), both_ways=config.both_ways), sizes)

    @property
    def starts(self) -> list[int]:
        """The number that the first node of each graph has now."""
        return [0, *np.cumsum(self.sizes[:-1]).tolist()]

    def batch(self, config: NetworkConfig, device: str, block_edges: int | None = None) -> Batch:
        """Return what a network reads of them; nodes and pairs are still to be asked for."""
        graph_of = None
        if config.level == "graph":
            graph_of = torch.repeat_interleave(torch.arange(len(self.sizes)), torch.tensor(self.sizes)).to(device)
        return Batch(
            x=tensor_of(self.x, device),
            messages=Messages.of(self.matrix, config.architecture, device, block_edges),
            graph_of=graph_of,
            num_graphs=len(self.sizes),
        )


def about_pairs(matrix: Matrix, pairs: Edges, edge_attr: Columns | None, config: NetworkConfig) -> Columns:
    """Return float32 [K, P], what a network reads of pairs int64 [2, K] besides their nodes."""
    columns = [np.zeros((pairs.shape[1], 0), np.float32)]
    if config.edge_features:
        if edge_attr is None:
            raise ValueError("a network that reads edge features needs them")
        columns.append(edge_attr)
    if config.architecture == "edge":
        columns.append(common_neighbours(matrix, pairs))
    return np.concatenate(columns, axis=1)


def passes(graphs: Sequence[Graph], most_edges: int) -> Iterator[list[int]]:
    """Yield positions of graphs that go into one pass together, in order: `most_edges` or one larger graph."""
    positions: list[int] = []
    edges = 0
    for position, graph in enumerate(graphs):
        if positions and edges + graph.num_edges > most_edges:
            yield positions
            positions, edges = [], 0
        positions.append(position)
        edges += graph.num_edges
    if positions:
        yield positions


def answered_in_passes(
    requests: Sequence[Request[Any]],
    check: Callable[[Request[Any]], GraphScore],
    score: Callable[[Sequence[GraphScore]], Sequence[GraphScores]],
    batch_edges: int,
    context: CallContext,
) -> list[Response | MetierError]:
    """Answer each request, in order, several graphs a pass; a refused one fails alone, a failed pass as a whole.

    Args:
        requests: what is asked.
        check: returns a request that the model serves, or raises why not.
        score: answers the requests of one pass.
        batch_edges: the most edges of a pass of several graphs.
        context: checked before each pass.
    """
    checked = [attempt(partial(check, request)) for request in requests]
    sound = [(place, one) for place, one in enumerate(checked) if isinstance(one, GraphScore)]
    answers: dict[int, Response | MetierError] = {
        place: one for place, one in enumerate(checked) if isinstance(one, MetierError)
    }
    for positions in passes([request.graph for _, request in sound], batch_edges):
        context.check()
        chosen = [sound[position] for position in positions]
        found = attempt(partial(score, [request for _, request in chosen]))
        each: Sequence[Response | MetierError] = [found] * len(chosen) if isinstance(found, MetierError) else found
        answers |= {place: answer for (place, _), answer in zip(chosen, each, strict=True)}
    return [answers[place] for place in range(len(requests))]
