"""Adjacency matrices: who hears from whom, as scipy's CSR with a row for each node that hears."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

Matrix: TypeAlias = "scipy.sparse.csr_array[Any, tuple[int, int]]"
Edges = NDArray[np.int64]


def adjacency(edge_index: Edges, num_nodes: int, *, both_ways: bool) -> Matrix:
    """Return float32 [N, N]: row i, column j holds how many edges lead from j to i, or with `both_ways` also back."""
    sources, targets = edge_index
    if both_ways:
        sources, targets = np.concatenate([sources, targets]), np.concatenate([targets, sources])
    return _matrix(targets, sources, num_nodes)


def _matrix(rows: Edges, columns: Edges, num_nodes: int) -> Matrix:
    ones = np.ones(len(rows), dtype=np.float32)
    matrix: Matrix = scipy.sparse.coo_array((ones, (rows, columns)), shape=(num_nodes, num_nodes)).tocsr()
    return matrix


def is_symmetric(edge_index: Edges, num_nodes: int) -> bool:
    """Tell whether each edge is there in both directions."""
    matrix = _matrix(edge_index[1], edge_index[0], num_nodes)
    difference = matrix - matrix.T.tocsr()
    return not difference.data.any()


def with_loops(matrix: Matrix) -> Matrix:
    """Return the matrix with 1 in its diagonal, whatever was there."""
    rows = rows_of(matrix)
    others = rows != matrix.indices
    parts = (matrix.data[others], (rows[others], matrix.indices[others]))
    return (scipy.sparse.csr_array(parts, shape=matrix.shape) + scipy.sparse.eye_array(matrix.shape[0])).astype(
        np.float32
    )


def mean_over_rows(matrix: Matrix) -> Matrix:
    """Return the matrix that takes the mean over neighbours in place of their sum."""
    return _scaled(matrix, 1 / np.repeat(_at_least_one(matrix.sum(axis=1)), np.diff(matrix.indptr)))


def by_degrees(matrix: Matrix) -> Matrix:
    """Return D^-1/2 (A + I) D^-1/2, with D the in-degrees of A + I (Kipf and Welling 2017)."""
    looped = with_loops(matrix)
    root = np.sqrt(_at_least_one(looped.sum(axis=1)))
    return _scaled(looped, 1 / (np.repeat(root, np.diff(looped.indptr)) * root[looped.indices]))


def unchanged(matrix: Matrix) -> Matrix:
    """Return the matrix, which takes the sum over neighbours."""
    return matrix


def rows_of(matrix: Matrix) -> NDArray[Any]:
    """Return the row of each entry."""
    return np.repeat(np.arange(matrix.shape[0], dtype=matrix.indices.dtype), np.diff(matrix.indptr))


def _at_least_one(sums: NDArray[Any]) -> NDArray[np.float32]:
    sound: NDArray[np.float32] = np.maximum(sums, 1).astype(np.float32)
    return sound


def _scaled(matrix: Matrix, factors: NDArray[Any]) -> Matrix:
    data = (matrix.data * factors).astype(np.float32)
    return scipy.sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def joined(edge_indices: Sequence[Edges], sizes: Sequence[int]) -> Edges:
    """Return the edges of several graphs as one graph, the nodes of each numbered on from those before."""
    starts = np.cumsum([0, *sizes[:-1]])
    return np.concatenate([edges + start for edges, start in zip(edge_indices, starts, strict=True)], axis=1)
