"""A layer over a matrix gives what PyG's layer gives over the edges; attention in blocks gives the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from metier_contracts import Graph
from metier_gnn.adjacency import adjacency
from metier_gnn.messages import Messages
from metier_gnn.upstream import GATConv, GCNConv, GINConv, SAGEConv


@pytest.fixture(scope="module")
def directed() -> Graph:
    rng = np.random.default_rng(1)
    edges = np.unique(rng.integers(60, size=(2, 400)), axis=1)
    return Graph(edge_index=edges, num_nodes=60, x=rng.normal(size=(60, 5)).astype(np.float32))


def test_sums_and_means_are_those_over_edges(directed: Graph) -> None:
    torch.manual_seed(0)
    x, edges = torch.from_numpy(directed.x), torch.from_numpy(directed.edge_index)
    matrix = adjacency(directed.edge_index, 60, both_ways=False)
    mean, gin = SAGEConv(5, 8), GINConv(torch.nn.Linear(5, 8))
    total = SAGEConv(5, 8, aggr="sum")
    total.load_state_dict(mean.state_dict())
    normed, plain = GCNConv(5, 8), GCNConv(5, 8, normalize=False)
    plain.load_state_dict(normed.state_dict())
    with torch.inference_mode():
        for name, ours, theirs in (("sage", total, mean), ("gcn", plain, normed), ("gin", gin, gin)):
            found = Messages.of(matrix, name, "cpu").through(ours, x)
            torch.testing.assert_close(found, theirs(x, edges), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("block", [1, 50, 10_000])
def test_attention_in_blocks(directed: Graph, block: int) -> None:
    torch.manual_seed(0)
    x, edges = torch.from_numpy(directed.x), torch.from_numpy(directed.edge_index)
    matrix = adjacency(directed.edge_index, 60, both_ways=False)
    theirs = GATConv(5, 4, heads=2)
    ours = GATConv(5, 4, heads=2, add_self_loops=False)
    ours.load_state_dict(theirs.state_dict())
    with torch.inference_mode():
        found = Messages.of(matrix, "gat", "cpu", block).through(ours, x)
        torch.testing.assert_close(found, theirs(x, edges), rtol=1e-5, atol=1e-5)
