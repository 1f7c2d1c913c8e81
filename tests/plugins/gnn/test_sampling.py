"""Sampled neighbourhoods are parts of the graph, as large as asked for, and different from draw to draw."""

from __future__ import annotations

import numpy as np
from metier_contracts import Graph
from metier_gnn.adjacency import adjacency
from metier_gnn.sampling import Sampler


def test_a_sample_is_part_of_the_graph(les_miserables: Graph) -> None:
    matrix = adjacency(les_miserables.edge_index, 77, both_ways=False)
    seeds = np.array([11, 0, 48])
    nodes, around = Sampler(matrix, fan_out=3, layers=2, seed=0).around(seeds)
    assert nodes[:3].tolist() == [11, 0, 48]
    assert len(set(nodes.tolist())) == len(nodes)
    whole = matrix.toarray()[np.ix_(nodes, nodes)]
    part = around.toarray()
    assert ((part == 0) | (part == whole)).all()
    heard = (part > 0).sum(axis=1)
    degrees = (matrix.toarray()[seeds] > 0).sum(axis=1)
    assert heard[:3].tolist() == np.minimum(degrees, 3).tolist()
    assert heard.max() == 3


def test_a_wide_sample_holds_every_neighbour(les_miserables: Graph) -> None:
    matrix = adjacency(les_miserables.edge_index, 77, both_ways=False)
    nodes, around = Sampler(matrix, fan_out=100, layers=1, seed=0).around(np.array([11]))
    assert set(nodes.tolist()) == {11, *np.flatnonzero(matrix.toarray()[11]).tolist()}
    assert around.nnz == len(nodes) - 1


def test_draws_differ_and_seeds_repeat_them(les_miserables: Graph) -> None:
    matrix = adjacency(les_miserables.edge_index, 77, both_ways=False)
    one, other = (Sampler(matrix, fan_out=3, layers=2, seed=5) for _ in range(2))
    seeds = np.arange(20)
    first, second, again = one.around(seeds), one.around(seeds), other.around(seeds)
    assert (first[1] != again[1]).nnz == 0
    assert first[0].tolist() == again[0].tolist()
    assert first[1].shape != second[1].shape or (first[1] != second[1]).nnz > 0


def test_a_node_that_hears_nobody() -> None:
    matrix = adjacency(np.array([[0], [1]]), 3, both_ways=False)
    nodes, around = Sampler(matrix, fan_out=2, layers=3, seed=0).around(np.array([2]))
    assert (nodes.tolist(), around.nnz) == ([2], 0)
