"""Adjacency matrices against those of networkx and PyG's own normalisation."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from metier_contracts import Graph
from metier_gnn.adjacency import adjacency, by_degrees, is_symmetric, joined, mean_over_rows, with_loops

EDGES = np.array([[0, 0, 0, 1, 3], [1, 1, 2, 0, 3]])


def test_a_row_holds_who_is_heard() -> None:
    one_way = adjacency(EDGES, 4, both_ways=False).toarray()
    assert one_way.tolist() == [[0, 1, 0, 0], [2, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]]
    assert (adjacency(EDGES, 4, both_ways=True).toarray() == one_way + one_way.T).all()


def test_loops_are_of_weight_one() -> None:
    looped = with_loops(adjacency(EDGES, 4, both_ways=False)).toarray()
    assert np.diag(looped).tolist() == [1, 1, 1, 1]
    assert (looped - np.diag(np.diag(looped)))[1, 0] == 2


def test_means_sum_to_one_where_somebody_is_heard() -> None:
    mean = mean_over_rows(adjacency(EDGES[:, :4], 4, both_ways=False))
    assert mean.sum(axis=1).tolist() == [1, 1, 1, 0]


def test_the_norm_of_gcn_is_that_of_pyg() -> None:
    import torch
    from metier_gnn import upstream  # noqa: F401  imports PyG without its warnings
    from torch_geometric.nn.conv.gcn_conv import gcn_norm

    edges, weights = gcn_norm(torch.from_numpy(EDGES), num_nodes=4)
    expected = np.zeros((4, 4), np.float32)
    np.add.at(expected, (edges[1].numpy(), edges[0].numpy()), weights.numpy())
    assert by_degrees(adjacency(EDGES, 4, both_ways=False)).toarray() == pytest.approx(expected)


def test_symmetry() -> None:
    undirected = Graph.from_networkx(nx.karate_club_graph())
    assert is_symmetric(undirected.edge_index, 34)
    assert not is_symmetric(undirected.edge_index[:, 1:], 34)
    assert not is_symmetric(EDGES, 4)  # one way twice, the other once


def test_joined_graphs_share_no_edge() -> None:
    both = joined([EDGES, EDGES], [4, 4])
    assert both.shape == (2, 10)
    assert (both[:, 5:] == EDGES + 4).all()
