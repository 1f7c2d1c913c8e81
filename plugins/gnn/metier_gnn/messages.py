"""How values pass from node to node in a layer: over a sparse matrix, or for attention over a list of edges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from metier_gnn.adjacency import Matrix, by_degrees, mean_over_rows, rows_of, unchanged, with_loops

# Each architecture's matrix. A product with it never holds a value for each edge, as a list of edges does.
_MATRICES = {"gcn": by_degrees, "sage": mean_over_rows, "edge": mean_over_rows, "gin": unchanged}


@dataclass(frozen=True, slots=True)
class Messages:
    """The ways of the messages.

    `ways`: a torch CSR tensor [N, N], or for attention edges int64 [2, E]. `heard`: in place of them, the matrix of a
    graph with more edges than attention shall see at once, `block_edges`.
    """

    ways: torch.Tensor | None = None
    heard: Matrix | None = None
    block_edges: int = 0

    @classmethod
    def of(cls, matrix: Matrix, architecture: str, device: str, block_edges: int | None = None) -> Messages:
        """Return those of an architecture on a graph. `block_edges`: the most edges that attention sees at once."""
        if architecture != "gat":
            return cls(_to_torch(_MATRICES[architecture](matrix), device))
        heard = with_loops(matrix)
        if block_edges is None or heard.nnz <= block_edges:
            return cls(_edges(heard, device))
        return cls(heard=heard, block_edges=block_edges)

    def through(self, layer: Any, x: torch.Tensor) -> torch.Tensor:
        """Return what a layer of PyG makes of the values x [N, C]: [N, C']."""
        if self.heard is None:
            values: torch.Tensor = layer(x, self.ways)
            return values
        blocks = []
        for start, end in _blocks(self.heard, self.block_edges):
            edges = _edges(self.heard[start:end], x.device)
            blocks.append(layer((x, x[start:end]), edges, size=(len(x), end - start)))
        return torch.cat(blocks)


def _to_torch(matrix: Matrix, device: str) -> torch.Tensor:
    starts, columns, values = (torch.from_numpy(part) for part in (matrix.indptr, matrix.indices, matrix.data))
    return torch.sparse_csr_tensor(starts, columns, values, matrix.shape, check_invariants=False).to(device)


def _edges(matrix: Matrix, device: str | torch.device) -> torch.Tensor:
    """Return the entries as edges from columns to rows, int64 [2, E]."""
    return torch.from_numpy(np.stack([matrix.indices, rows_of(matrix)]).astype(np.int64)).to(device)


def _blocks(matrix: Matrix, most: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of rows that hold up to `most` entries, or one row that holds more."""
    start, count = 0, matrix.shape[0]
    while start < count:
        fits = int(np.searchsorted(matrix.indptr, matrix.indptr[start] + most, side="right")) - 1
        end = min(max(fits, start + 1), count)
        yield start, end
        start = end
