"""What is told of nodes and pairs, against networkx."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest
from metier_contracts import Graph
from metier_gnn.adjacency import adjacency
from metier_gnn.features import columns_of, node_features
from metier_gnn.pairs import common_neighbours

PATH = np.array([[0, 1], [1, 2]])


def test_the_places_on_a_path() -> None:
    one, two = math.log(2), math.log(3)
    expected = [[two, one, 0, one], [one, two, one, one], [two, one, one, 0]]
    assert node_features(Graph(edge_index=PATH, num_nodes=3)) == pytest.approx(np.array(expected))


def test_a_node_without_edges() -> None:
    assert node_features(Graph(edge_index=PATH, num_nodes=4))[3].tolist() == [0, 0, 0, 0]


def test_features_of_edges_are_averaged_in_and_out() -> None:
    graph = Graph(
        edge_index=np.array([[0, 0, 1], [1, 2, 2]]),
        x=np.ones((3, 1), np.float32),
        edge_attr=np.array([[2], [4], [8]], np.float32),
    )
    counted = np.expm1(node_features(graph)[:, 1:3])
    assert counted == pytest.approx(np.array([[0, 2], [1, 1], [2, 0]]), rel=1e-5)
    assert node_features(graph)[:, [0, 3, 4]].tolist() == [[1, 0, 3], [1, 2, 8], [1, 6, 0]]
    assert node_features(graph).shape[1] == columns_of(1, 1)
    assert node_features(graph, with_edges=False).shape[1] == columns_of(1, 0)


def test_common_neighbours_are_those_of_networkx(les_miserables: Graph) -> None:
    plain = nx.convert_node_labels_to_integers(nx.les_miserables_graph())
    pairs = np.random.default_rng(0).integers(77, size=(2, 200))
    pairs = pairs[:, pairs[0] != pairs[1]]
    matrix = adjacency(les_miserables.edge_index, 77, both_ways=True)
    found = common_neighbours(matrix, pairs, block=64)
    chosen = [tuple(pair) for pair in pairs.T.tolist()]
    assert np.expm1(found[:, 0]) == pytest.approx([len(list(nx.common_neighbors(plain, *pair))) for pair in chosen])
    assert found[:, 1] == pytest.approx([p for *_, p in nx.adamic_adar_index(plain, chosen)], rel=1e-5)
    assert np.expm1(found[:, 2]) == pytest.approx([p for *_, p in nx.preferential_attachment(plain, chosen)], rel=1e-4)


def test_no_pairs(les_miserables: Graph) -> None:
    matrix = adjacency(les_miserables.edge_index, 77, both_ways=True)
    assert common_neighbours(matrix, np.zeros((2, 0), np.int64)).shape == (0, 3)
