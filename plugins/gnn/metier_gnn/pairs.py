"""What the graph tells of a pair of nodes by their common neighbours."""

from __future__ import annotations

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from metier_gnn.adjacency import Edges, Matrix

PAIR_COLUMNS = 3


def common_neighbours(matrix: Matrix, pairs: Edges, block: int = 65_536) -> NDArray[np.float32]:
    """Return float32 [K, 3] for pairs int64 [2, K].

    The logarithm of 1 + the number of common neighbours; the index of Adamic and Adar (2003), the sum over common
    neighbours of 1 / log degree; and the logarithm of 1 + the product of the degrees.
    """
    plain: Matrix = scipy.sparse.csr_array(
        (np.ones_like(matrix.data), matrix.indices, matrix.indptr), shape=matrix.shape
    )
    degrees = np.diff(plain.indptr)
    # A common neighbour has two neighbours at least, wherever edges lead both ways.
    weights = 1 / np.log(np.maximum(degrees, 2))
    parts = [
        _of_block(plain, weights.astype(np.float32), degrees, pairs[:, start : start + block])
        for start in range(0, pairs.shape[1], block)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, PAIR_COLUMNS), np.float32)


def _of_block(
    matrix: Matrix, weights: NDArray[np.float32], degrees: NDArray[np.int32], pairs: Edges
) -> NDArray[np.float32]:
    sources, targets = pairs
    shared = matrix[sources].multiply(matrix[targets]).tocsr()
    product = degrees[sources].astype(np.float64) * degrees[targets]
    columns = [np.log1p(shared.sum(axis=1)), shared @ weights, np.log1p(product)]
    return np.stack(columns, axis=1).astype(np.float32)
