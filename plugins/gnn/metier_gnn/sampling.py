"""Neighbour sampling (Hamilton et al. 2017): a small graph around some nodes of one that does not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from metier_gnn.adjacency import Matrix


class Sampler:
    """Draws neighbours, for each layer up to `fan_out` of a node, without putting any back.

    PyG's NeighborLoader needs pyg-lib or torch-sparse, which are compiled and not on PyPI; scipy's CSR does the same.
    """

    def __init__(self, matrix: Matrix, fan_out: int, layers: int, seed: int) -> None:
        self._matrix = matrix
        self._fan_out = fan_out
        self._layers = layers
        self._rng = np.random.default_rng(seed)
        self._local = np.full(matrix.shape[0], -1, dtype=np.int64)

    def around(self, seeds: NDArray[np.int64]) -> tuple[NDArray[np.int64], Matrix]:
        """Return the nodes int64 [n], those of `seeds` (each once) first, and their adjacency [n, n]."""
        nodes, frontier = [seeds], seeds
        self._local[seeds] = np.arange(len(seeds))
        count = len(seeds)
        rows, entries = [], []
        for _ in range(self._layers):
            heard_by, found = self._draw(frontier)
            neighbours = self._matrix.indices[found].astype(np.int64)
            frontier = np.unique(neighbours[self._local[neighbours] < 0])
            self._local[frontier] = np.arange(count, count + len(frontier))
            count += len(frontier)
            nodes.append(frontier)
            rows.append(self._local[heard_by])
            entries.append(found)
        return self._finish(np.concatenate(nodes), np.concatenate(rows), np.concatenate(entries))

    def _draw(self, frontier: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Return the node that hears and the matrix entry, for each drawn edge."""
        starts = self._matrix.indptr[frontier].astype(np.int64)
        counts = self._matrix.indptr[frontier + 1] - starts
        firsts = np.cumsum(counts) - counts
        within = np.arange(counts.sum()) - np.repeat(firsts, counts)
        owner = np.repeat(np.arange(len(frontier)), counts)
        order = np.lexsort((self._rng.random(len(within)), owner))  # owners stay in order, their edges do not
        kept = order[within < self._fan_out]
        return frontier[owner[kept]], starts[owner[kept]] + within[kept]

    def _finish(
        self, nodes: NDArray[np.int64], rows: NDArray[np.int64], entries: NDArray[Any]
    ) -> tuple[NDArray[np.int64], Matrix]:
        columns = self._local[self._matrix.indices[entries]]
        self._local[nodes] = -1
        parts = (self._matrix.data[entries], (rows, columns))
        return nodes, scipy.sparse.coo_array(parts, shape=(len(nodes), len(nodes))).tocsr()
