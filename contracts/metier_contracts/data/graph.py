"""`Graph`: nodes, edges and their features, in coordinate form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from metier_contracts.arrays import ArraySpec
from metier_contracts.contract import Contract
from metier_contracts.errors import InputError
from metier_contracts.refusal import Refusal, shown

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd
    import scipy.sparse


class Graph(Contract):
    """A directed graph; an undirected edge is given in both directions.

    `edge_index`: int64 [2, E], row 0 the sources and row 1 the targets, each in 0..num_nodes - 1.
    `x`: node features float32 [N, F], or None. `edge_attr`: edge features float32 [E, K], or None.
    `node_ids`: the callers' own names of the nodes, in order, or None.
    """

    edge_index: Annotated[NDArray[np.int64], ArraySpec("int64", "2 E")]
    num_nodes: int = Field(ge=1)
    x: Annotated[NDArray[np.float32], ArraySpec("float32", "N F", finite=True)] | None = None
    edge_attr: Annotated[NDArray[np.float32], ArraySpec("float32", "E K", finite=True)] | None = None
    node_ids: tuple[str, ...] | None = None

    @model_validator(mode="before")
    @classmethod
    def _count_nodes(cls, data: Any) -> Any:
        """Take the number of nodes from `x` or `node_ids` where it is not given."""
        if isinstance(data, dict) and "num_nodes" not in data and not isinstance(data.get("x"), dict):
            named: Any = next((data[key] for key in ("x", "node_ids") if data.get(key) is not None), None)
            with suppress(TypeError):  # what has no length is refused as x or node_ids
                return {**data, "num_nodes": len(named)}
        return data

    @model_validator(mode="after")
    def _check(self) -> Graph:
        if self.edge_index.shape[0] != 2:
            raise Refusal(
                "an array of shape [2, E]",
                f"shape {list(self.edge_index.shape)}",
                field="edge_index",
                hint="transpose a list of pairs: np.array(pairs).T",
            )
        outside = (self.edge_index < 0) | (self.edge_index >= self.num_nodes)
        if outside.any():
            row, column = (int(i) for i in np.argwhere(outside)[0])
            raise Refusal(
                f"nodes in 0..{self.num_nodes - 1}, since num_nodes is {self.num_nodes}",
                f"node {int(self.edge_index[row, column])} at [{row}, {column}]",
                field="edge_index",
            )
        self._check_lengths()
        return self

    def _check_lengths(self) -> None:
        rows = (
            ("x", self.x, self.num_nodes),
            ("node_ids", self.node_ids, self.num_nodes),
            ("edge_attr", self.edge_attr, self.num_edges),
        )
        for name, value, expected in rows:
            if value is not None and len(value) != expected:
                kind = "edge" if name == "edge_attr" else "node"
                raise Refusal(f"as many as there are {kind}s: {expected}", str(len(value)), field=name)
        if self.node_ids is not None and len(set(self.node_ids)) != self.num_nodes:
            twice = next(name for name, count in Counter(self.node_ids).items() if count > 1)
            raise Refusal("each node id once", f"{twice!r} more than once", field="node_ids")

    @property
    def num_edges(self) -> int:
        """Directed edges E."""
        return int(self.edge_index.shape[1])

    @classmethod
    def from_networkx(
        cls,
        graph: nx.Graph[Any],
        *,
        node_features: Sequence[str] | None = None,
        edge_features: Sequence[str] | None = None,
    ) -> Graph:
        """Return a networkx graph; the named numeric attributes become the columns of `x` and `edge_attr`."""
        from metier_contracts._interop import networkx

        return networkx.to_graph(graph, node_features=node_features or (), edge_features=edge_features or ())

    def to_networkx(self) -> nx.DiGraph[Any]:
        """Return the graph as a networkx DiGraph, its nodes named by `node_ids` where given, else by number."""
        from metier_contracts._interop import networkx

        return networkx.from_graph(self)

    @classmethod
    def from_pyg(cls, data: Any) -> Graph:
        """Return a PyTorch Geometric `Data` (or anything with edge_index, num_nodes, x, edge_attr)."""
        if getattr(data, "edge_index", None) is None:
            raise InputError(
                "a PyG graph without edge_index",
                expected="a homogeneous Data with edge_index [2, E]",
                got=shown(data),
                blame="the argument of Graph.from_pyg",
                hint="take one edge type of HeteroData: data.to_homogeneous(); from adj_t use Graph.from_coo",
            )
        edge_attr = getattr(data, "edge_attr", None)
        if edge_attr is not None and edge_attr.ndim == 1:
            edge_attr = edge_attr[:, None]
        return cls(
            edge_index=data.edge_index, num_nodes=int(data.num_nodes), x=getattr(data, "x", None), edge_attr=edge_attr
        )

    @classmethod
    def from_coo(cls, matrix: scipy.sparse.coo_array, *, x: NDArray[Any] | None = None) -> Graph:
        """Return a square scipy COO matrix: entry [i, j] is the edge i -> j, its value the one edge feature."""
        shape: tuple[int, ...] = getattr(matrix, "shape", ())
        if not hasattr(matrix, "row") or len(shape) != 2 or shape[0] != shape[1]:
            raise InputError(
                "the matrix is no adjacency matrix in coordinates",
                expected="a square scipy.sparse.coo_array",
                got=f"{type(matrix).__name__} of shape {list(shape)}",
                blame="the argument of Graph.from_coo",
                hint="from another sparse format: matrix.tocoo()",
            )
        edge_index = np.stack([np.asarray(matrix.row), np.asarray(matrix.col)]).astype(np.int64)
        edge_attr = np.asarray(matrix.data, dtype=np.float32)[:, None]
        return cls(edge_index=edge_index, num_nodes=int(matrix.shape[0]), x=x, edge_attr=edge_attr)

    @classmethod
    def from_edges(
        cls,
        edges: pd.DataFrame,
        *,
        source: str = "source",
        target: str = "target",
        edge_features: Sequence[str] = (),
    ) -> Graph:
        """Return the graph of a pandas edge list; its nodes are named in order of first appearance."""
        from metier_contracts._interop import pandas

        return pandas.to_graph(edges, source=source, target=target, edge_features=edge_features)
