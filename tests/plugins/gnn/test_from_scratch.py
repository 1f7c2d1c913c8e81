"""What is learned from a request's own graph, and the classic beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import networkx as nx
import numpy as np
import pytest
from metier_contracts import CallContext, Graph, GraphScore, ModelCard, Placement, UnsupportedError
from metier_gnn.plugin import metier_load
from sklearn.metrics import roc_auc_score

from .test_fitted import split


@pytest.fixture(scope="module")
def planted() -> tuple[Graph, np.ndarray]:
    """Four communities whose members have like features, and 15 nodes with the features of another community."""
    rng = np.random.default_rng(2)
    graph = Graph.from_networkx(nx.planted_partition_graph(4, 50, 0.2, 0.005, seed=2))
    home = np.repeat(np.arange(4), 50)
    odd = np.zeros(200, dtype=np.bool_)
    odd[rng.choice(200, 15, replace=False)] = True
    middles = rng.normal(size=(4, 8))
    x = middles[np.where(odd, (home + 2) % 4, home)] + rng.normal(0, 0.3, size=(200, 8))
    return graph.model_copy(update={"x": x.astype(np.float32)}), odd


def test_planted_oddities_are_found(
    scratch: Callable[..., Any], planted: tuple[Graph, np.ndarray], context: CallContext
) -> None:
    graph, odd = planted
    [answer] = scratch().infer([GraphScore(graph=graph)], context)
    assert answer.labels == ("unusual",)
    assert (answer.scores >= 0).all()
    assert roc_auc_score(odd, answer.scores[:, 0]) > 0.9


def test_seeds_repeat_answers(scratch: Callable[..., Any], les_miserables: Graph) -> None:
    model, asked = scratch(epochs=5), GraphScore(graph=les_miserables)
    one, two, other = (model.infer([asked], CallContext(seed=seed))[0].scores for seed in (3, 3, 4))
    assert (one == two).all()
    assert (one != other).any()


def test_links_from_the_graph_alone(scratch: Callable[..., Any], les_miserables: Graph, context: CallContext) -> None:
    rest, pairs, truth = split(les_miserables, held=50)
    [answer] = scratch().infer([GraphScore(graph=rest, level="edge", edges=pairs)], context)
    assert roc_auc_score(truth, answer.scores[:, 0]) > 0.85


def test_too_small_a_graph_fails_alone(scratch: Callable[..., Any], karate: Graph, context: CallContext) -> None:
    lone = Graph(edge_index=np.array([[0], [1]]), num_nodes=2)
    failed, whole, sound = scratch(epochs=2).infer(
        [
            GraphScore(graph=lone, level="edge"),
            GraphScore(graph=karate, level="graph"),
            GraphScore(graph=karate, level="edge"),
        ],
        context,
    )
    assert "too few links" in str(failed)
    assert isinstance(whole, UnsupportedError)
    assert sound.scores.shape == (156, 1)


def test_a_graph_without_edges_has_unusual_nodes_too(scratch: Callable[..., Any], context: CallContext) -> None:
    x = np.zeros((6, 2), np.float32)
    x[5] = 9
    alone = Graph(edge_index=np.zeros((2, 0), np.int64), x=x)
    [answer] = scratch().infer([GraphScore(graph=alone)], context)
    assert np.isfinite(answer.scores).all()


def test_adamic_adar_is_networkx_s(cards: Mapping[str, ModelCard], les_miserables: Graph, context: CallContext) -> None:
    model = metier_load(card=cards["gnn/adamic-adar"], placement=Placement())
    [answer, refused] = model.infer(
        [GraphScore(graph=les_miserables, level="edge"), GraphScore(graph=les_miserables)], context
    )
    plain = nx.convert_node_labels_to_integers(nx.les_miserables_graph())
    pairs = [tuple(pair) for pair in les_miserables.edge_index.T.tolist()]
    expected = [score for *_, score in nx.adamic_adar_index(plain, pairs)]
    assert answer.scores[:, 0] == pytest.approx(expected, rel=1e-5)
    assert isinstance(refused, UnsupportedError)
