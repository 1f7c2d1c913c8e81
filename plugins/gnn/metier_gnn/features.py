"""What a network reads of each node: its features, or its place in the graph, and the features of its edges."""

from __future__ import annotations

import numpy as np
from metier_contracts import Graph
from numpy.typing import NDArray

STRUCTURE = 4
Columns = NDArray[np.float32]


def structure(edge_index: NDArray[np.int64], num_nodes: int) -> Columns:
    """Return float32 [N, 4], what is told of a node without features.

    The logarithms of 1 + in-degree and of 1 + out-degree; the mean over its neighbours, in both directions, of the
    logarithm of 1 + degree; and the mean over them of that.
    """
    into = np.bincount(edge_index[1], minlength=num_nodes)
    out_of = np.bincount(edge_index[0], minlength=num_nodes)
    near = _mean_of_neighbours(np.log1p(into + out_of), edge_index, into + out_of)
    far = _mean_of_neighbours(near, edge_index, into + out_of)
    return np.stack([np.log1p(into), np.log1p(out_of), near, far], axis=1).astype(np.float32)


def _mean_of_neighbours(
    values: NDArray[np.float64], edge_index: NDArray[np.int64], degrees: NDArray[np.int64]
) -> NDArray[np.float64]:
    sources, targets = edge_index
    total = np.bincount(targets, values[sources], len(values)) + np.bincount(sources, values[targets], len(values))
    return total / np.maximum(degrees, 1)


def node_features(graph: Graph, *, with_edges: bool = True) -> Columns:
    """Return float32 [N, F + 2 K]: `x` or else the structure; and the means of `edge_attr` over edges in and out."""
    own = structure(graph.edge_index, graph.num_nodes) if graph.x is None else graph.x
    if graph.edge_attr is None or not with_edges:
        return own
    ends = [_mean_of_edges(graph.edge_attr, graph.edge_index[end], graph.num_nodes) for end in (1, 0)]
    return np.concatenate([own, *ends], axis=1)


def _mean_of_edges(values: Columns, ends: NDArray[np.int64], num_nodes: int) -> Columns:
    counts = np.maximum(np.bincount(ends, minlength=num_nodes), 1)
    sums = [np.bincount(ends, column, num_nodes) for column in values.T]
    return (np.stack(sums, axis=1) / counts[:, None]).astype(np.float32)
