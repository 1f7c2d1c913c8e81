"""What a network reads of each node: its degrees, its features or those of its place, and the features of its edges."""

from __future__ import annotations

import numpy as np
from metier_contracts import Graph
from numpy.typing import NDArray

DEGREES, PLACE = 2, 2
Columns = NDArray[np.float32]


def degrees(edge_index: NDArray[np.int64], num_nodes: int) -> Columns:
    """Return float32 [N, 2], the logarithms of 1 + in-degree and of 1 + out-degree: means over neighbours lose them."""
    counts = [np.bincount(edge_index[end], minlength=num_nodes) for end in (1, 0)]
    return np.log1p(np.stack(counts, axis=1)).astype(np.float32)


def place(edge_index: NDArray[np.int64], num_nodes: int) -> Columns:
    """Return float32 [N, 2], what is told of a node without features.

    The mean over its neighbours, in both directions, of the logarithm of 1 + degree; and the mean over them of that.
    """
    total = np.bincount(edge_index.ravel(), minlength=num_nodes)
    near = _mean_of_neighbours(np.log1p(total), edge_index, total)
    return np.stack([near, _mean_of_neighbours(near, edge_index, total)], axis=1).astype(np.float32)


def _mean_of_neighbours(
    values: NDArray[np.float64], edge_index: NDArray[np.int64], counts: NDArray[np.int64]
) -> NDArray[np.float64]:
    sources, targets = edge_index
    total = np.bincount(targets, values[sources], len(values)) + np.bincount(sources, values[targets], len(values))
    return total / np.maximum(counts, 1)


def node_features(graph: Graph, *, with_edges: bool = True) -> Columns:
    """Return float32 [N, F + 2 + 2 K]: `x` or else the place; degrees; means of `edge_attr` over edges in and out."""
    edges, count = graph.edge_index, graph.num_nodes
    parts = [place(edges, count) if graph.x is None else graph.x, degrees(edges, count)]
    if graph.edge_attr is not None and with_edges:
        parts += [_mean_of_edges(graph.edge_attr, edges[end], count) for end in (1, 0)]
    return np.concatenate(parts, axis=1)


def columns_of(features: int | None, edge_features: int) -> int:
    """Return how many columns `node_features` gives for so many of `x` (None without any) and of `edge_attr`."""
    return (PLACE if features is None else features) + DEGREES + 2 * edge_features


def _mean_of_edges(values: Columns, ends: NDArray[np.int64], num_nodes: int) -> Columns:
    counts = np.maximum(np.bincount(ends, minlength=num_nodes), 1)
    sums = [np.bincount(ends, column, num_nodes) for column in values.T]
    return (np.stack(sums, axis=1) / counts[:, None]).astype(np.float32)
