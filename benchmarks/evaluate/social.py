"""Links that were taken out of a social graph, and the sides of a club that split.

Links: of Knuth's graph of who meets whom in Les Miserables (networkx), a fifth of the 254 links are taken out, ten
times with other seeds; ways order them among as many pairs that never had a link. Sides: two members of Zachary's
karate club, the teacher and the officer, say theirs; the other 32 are told from the ties, each member being its own
feature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
from metier import Runtime
from metier_contracts import Graph, GraphFit, GraphScore
from numpy.typing import NDArray

from benchmarks.evaluate.rivals_of_graphs import label_propagation

SPLITS, HELD_OUT = 10, 51
NAMES = ("gcn", "sage", "gat", "gin", "edge")


@dataclass(frozen=True)
class Hidden:
    """A graph without some of its links, pairs int64 [2, K], and which of them are links."""

    graph: Graph
    pairs: NDArray[np.int64]
    linked: NDArray[np.bool_]


def hide(seed: int) -> Hidden:
    """Take links out at random, and draw as many pairs without one."""
    graph = Graph.from_networkx(nx.les_miserables_graph())
    rng = np.random.default_rng(seed)
    links = graph.edge_index[:, graph.edge_index[0] < graph.edge_index[1]]
    links = links[:, rng.permutation(links.shape[1])]
    free = np.array(list(nx.non_edges(nx.convert_node_labels_to_integers(nx.les_miserables_graph())))).T
    apart = free[:, rng.choice(free.shape[1], HELD_OUT, replace=False)]
    kept = links[:, HELD_OUT:]
    return Hidden(
        Graph(edge_index=np.concatenate([kept, kept[::-1]], axis=1), num_nodes=graph.num_nodes),
        np.concatenate([links[:, :HELD_OUT], apart], axis=1),
        np.repeat([True, False], HELD_OUT),
    )


def by_degrees(runtime: Runtime, hidden: Hidden) -> NDArray[np.float64]:
    """Order pairs by the product of their degrees."""
    degrees = np.bincount(hidden.graph.edge_index[0], minlength=hidden.graph.num_nodes)
    product: NDArray[np.float64] = degrees[hidden.pairs].prod(axis=0).astype(np.float64)
    return product


def by_card(model: str) -> Callable[[Runtime, Hidden], NDArray[np.float64]]:
    """Return the way of a model that needs no fit."""

    def way(runtime: Runtime, hidden: Hidden) -> NDArray[np.float64]:
        asked = GraphScore(graph=hidden.graph, level="edge", edges=hidden.pairs)
        return runtime.run(asked, model=model).scores[:, 0].astype(np.float64)

    return way


def by_fit(name: str) -> Callable[[Runtime, Hidden], NDArray[np.float64]]:
    """Return the way of an architecture, fitted on what is left of the graph."""

    def way(runtime: Runtime, hidden: Hidden) -> NDArray[np.float64]:
        request = GraphFit(id="bench/links", graphs=[hidden.graph], level="edge", architecture=name)
        return by_card(runtime.fit(request, replace=True).id)(runtime, hidden)

    return way


WAYS: Mapping[str, Callable[[Runtime, Hidden], NDArray[np.float64]]] = {
    "product of degrees": by_degrees,
    "gnn/adamic-adar": by_card("gnn/adamic-adar"),
    "gnn/from-scratch": by_card("gnn/from-scratch"),
    **{f"GraphFit, {name}": by_fit(name) for name in NAMES},
}


def links(way: Callable[[Runtime, Hidden], NDArray[np.float64]], seeds: range = range(SPLITS)) -> list[float]:
    """Return the area under the curve for each seed."""
    from sklearn.metrics import roc_auc_score

    with Runtime() as runtime:
        hidden = [hide(seed) for seed in seeds]
        return [round(float(roc_auc_score(one.linked, way(runtime, one))), 3) for one in hidden]


def sides() -> Iterator[tuple[str, float]]:
    """Yield how large a share of the 32 members each way places rightly."""
    club = nx.karate_club_graph()
    truth = np.array([int(club.nodes[node]["club"] == "Officer") for node in club])
    graph = Graph.from_networkx(club).model_copy(update={"x": np.eye(34, dtype=np.float32)})
    known, unknown = np.array([0, 33]), np.delete(np.arange(34), [0, 33])

    def share(told: NDArray[np.int64]) -> float:
        return round(float((told == truth)[unknown].mean()), 3)

    yield "label propagation", share(label_propagation(graph, known, truth[known]).argmax(axis=1))
    with Runtime() as runtime:
        for name in NAMES[:-1]:
            rights = []
            for seed in range(SPLITS):
                request = GraphFit(
                    id="bench/club", graphs=[graph], indices=known, targets=truth[known], architecture=name, seed=seed
                )
                model = runtime.fit(request, replace=True).id
                rights.append(share(runtime.run(GraphScore(graph=graph), model=model).scores.argmax(axis=1)))
            yield f"GraphFit, {name}", round(float(np.mean(rights)), 3)


def judge() -> dict[str, Any]:
    """Judge every way on both."""
    placed = dict(sides())
    rows = {}
    for name in dict.fromkeys([*WAYS, *placed]):
        areas = links(WAYS[name]) if name in WAYS else None
        rows[name] = {
            "links_roc_auc": None if areas is None else round(float(np.mean(areas)), 3),
            "links_deviation": None if areas is None else round(float(np.std(areas)), 3),
            "sides_accuracy": placed.get(name),
            "each": areas,
        }
        print(name, rows[name], flush=True)
    return {
        "title": "Links of Les Miserables, and sides of the karate club",
        "data": f"{(__doc__ or '').partition(chr(10) * 2)[2].strip()} Means of ten seeds.",
        "rows": rows,
    }
