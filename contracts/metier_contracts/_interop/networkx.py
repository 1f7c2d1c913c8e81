"""Between networkx and `Graph`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from metier_contracts.data.graph import Graph
from metier_contracts.errors import InputError
from metier_contracts.refusal import shown_error


def to_graph(graph: nx.Graph[Any], *, node_features: Sequence[str], edge_features: Sequence[str]) -> Graph:
    """Return a networkx graph as a `Graph`; an undirected edge becomes two."""
    if not isinstance(graph, nx.Graph):
        raise InputError(
            "Graph.from_networkx takes a networkx graph",
            expected="a networkx Graph, DiGraph or a multigraph",
            got=type(graph).__name__,
            blame="the argument of Graph.from_networkx",
            hint="from pairs of nodes: nx.Graph(pairs)",
        )
    number = {node: position for position, node in enumerate(graph.nodes)}
    directed = graph if graph.is_directed() else graph.to_directed(as_view=True)
    edges = [(number[a], number[b], data) for a, b, data in directed.edges(data=True)]
    edge_index = np.array([[a for a, _, _ in edges], [b for _, b, _ in edges]], dtype=np.int64).reshape(2, -1)
    return Graph(
        edge_index=edge_index,
        num_nodes=len(number),
        x=_columns((data for _, data in graph.nodes(data=True)), node_features, "node"),
        edge_attr=_columns((data for _, _, data in edges), edge_features, "edge"),
        node_ids=tuple(map(str, number)),
    )


def _columns(rows: Iterable[Mapping[str, Any]], names: Sequence[str], kind: str) -> NDArray[np.float32] | None:
    if not names:
        return None
    try:
        return np.array([[float(row[name]) for name in names] for row in rows], np.float32).reshape(-1, len(names))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"some {kind} lacks a numeric feature",
            expected=f"every {kind} has numbers under {list(names)}",
            got=f"no {error}" if isinstance(error, KeyError) else shown_error(error),
            blame=f"the {kind} attributes of the networkx graph",
            hint=f"set it on every {kind}, or leave it out of {kind}_features",
        ) from None


def from_graph(graph: Graph) -> nx.DiGraph[Any]:
    """Return a `Graph` as a networkx DiGraph; features become the lists `x` and `edge_attr`."""
    names: Sequence[str | int] = graph.node_ids or range(graph.num_nodes)
    result: nx.DiGraph[Any] = nx.DiGraph()
    for position, name in enumerate(names):
        result.add_node(name, **({} if graph.x is None else {"x": graph.x[position].tolist()}))
    for position, (a, b) in enumerate(graph.edge_index.T):
        features = {} if graph.edge_attr is None else {"edge_attr": graph.edge_attr[position].tolist()}
        result.add_edge(names[a], names[b], **features)
    return result
