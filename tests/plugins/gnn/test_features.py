"""What is told of nodes and pairs, against networkx."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest
from metier_contracts import Graph
from metier_gnn.adjacency import adjacency
from metier_gnn.features import node_features, structure
from metier_gnn.pairs import common_neighbours

PATH = np.array([[0, 1], [1, 2]])


def test_structure_of_a_path() -> None:
    one, two = math.log(2), math.log(3)
    expected = [[0, one, two, one], [one, one, one, two], [one, 0, two, one]]
    assert structure(PATH, 3) == pytest.approx(np.array(expected))


def test_a_node_without_edges() -> None:
    assert structure(PATH, 4)[3].tolist() == [0, 0, 0, 0]


def test_features_of_edges_are_averaged_in_and_out() -> None:
    graph = Graph(
        edge_index=np.array([[0, 0, 1], [1, 2, 2]]),
        x=np.ones((3, 1), np.float32),
        edge_attr=np.array([[2], [4], [8]], np.float32),
    )
    assert node_features(graph).tolist() == [[1, 0, 3], [1, 2, 8], [1, 6, 0]]
    assert node_features(graph, with_edges=False).tolist() == [[1], [1], [1]]


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
