"""Graph: from networkx, scipy, pandas and PyTorch Geometric."""

import warnings
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from metier_contracts import Graph, InputError

# networkx


def _networkx(kind: type) -> Any:
    graph = kind()
    graph.add_node("a", age=1, height=1.5)
    graph.add_node("b", age=2, height=2.5)
    graph.add_node("c", age=3, height=3.5)
    graph.add_edge("a", "b", weight=0.5)
    graph.add_edge("b", "c", weight=1.5)
    return graph


def _edges(graph: Graph) -> set[tuple[int, int]]:
    return {(int(a), int(b)) for a, b in graph.edge_index.T}


def test_a_directed_graph_keeps_its_edges() -> None:
    graph = Graph.from_networkx(_networkx(nx.DiGraph))
    assert _edges(graph) == {(0, 1), (1, 2)}
    assert graph.node_ids == ("a", "b", "c")
    assert (graph.num_nodes, graph.num_edges) == (3, 2)
    assert (graph.x, graph.edge_attr) == (None, None)


def test_an_undirected_edge_becomes_two() -> None:
    graph = Graph.from_networkx(_networkx(nx.Graph), edge_features=["weight"])
    assert _edges(graph) == {(0, 1), (1, 0), (1, 2), (2, 1)}
    weights = {(int(a), int(b)): float(w) for (a, b), (w,) in zip(graph.edge_index.T, graph.edge_attr, strict=True)}
    assert weights == {(0, 1): 0.5, (1, 0): 0.5, (1, 2): 1.5, (2, 1): 1.5}


def test_an_undirected_loop_stays_one() -> None:
    assert Graph.from_networkx(nx.Graph([(0, 0)])).num_edges == 1


def test_parallel_edges_stay_apart() -> None:
    assert Graph.from_networkx(nx.MultiDiGraph([(0, 1), (0, 1)])).num_edges == 2


def test_named_attributes_become_columns() -> None:
    graph = Graph.from_networkx(_networkx(nx.DiGraph), node_features=["height", "age"], edge_features=["weight"])
    assert graph.x.tolist() == [[1.5, 1], [2.5, 2], [3.5, 3]]
    assert graph.x.dtype == np.float32
    assert graph.edge_attr.tolist() == [[0.5], [1.5]]


def test_a_graph_without_edges() -> None:
    graph = nx.Graph()
    graph.add_node(7)
    taken = Graph.from_networkx(graph, edge_features=["weight"])
    assert taken.edge_index.shape == (2, 0)
    assert taken.edge_attr.shape == (0, 1)


@pytest.mark.parametrize(
    ("features", "words"),
    [
        ({"node_features": ["income"]}, "some node lacks a numeric feature"),
        ({"edge_features": ["income"]}, "some edge lacks a numeric feature"),
        ({"node_features": ["name"]}, "could not convert"),
    ],
)
def test_an_absent_attribute_is_named(features: Any, words: str) -> None:
    graph = _networkx(nx.DiGraph)
    nx.set_node_attributes(graph, "text", "name")
    with pytest.raises(InputError, match=words) as caught:
        Graph.from_networkx(graph, **features)
    assert next(iter(features.values()))[0] in caught.value.expected
    assert "networkx" in caught.value.blame


def test_an_empty_graph_is_refused() -> None:
    with pytest.raises(InputError, match="num_nodes"):
        Graph.from_networkx(nx.Graph())


def test_nodes_that_read_alike_are_refused() -> None:
    graph = nx.Graph()
    graph.add_nodes_from([1, "1"])
    with pytest.raises(InputError, match="'1' more than once"):
        Graph.from_networkx(graph)


@pytest.mark.parametrize("given", [None, [(0, 1)], np.zeros((2, 2))])
def test_from_networkx_takes_a_networkx_graph_alone(given: Any) -> None:
    with pytest.raises(InputError, match="networkx"):
        Graph.from_networkx(given)


def test_to_networkx_gives_features_and_names() -> None:
    graph = Graph.from_networkx(_networkx(nx.DiGraph), node_features=["age"], edge_features=["weight"])
    again = graph.to_networkx()
    assert dict(again.nodes(data="x")) == {"a": [1], "b": [2], "c": [3]}
    assert list(again.edges(data="edge_attr")) == [("a", "b", [0.5]), ("b", "c", [1.5])]


def test_to_networkx_numbers_nodes_without_names() -> None:
    again = Graph(edge_index=[[0, 1], [1, 0]], num_nodes=3).to_networkx()
    assert list(again.nodes(data=True)) == [(0, {}), (1, {}), (2, {})]
    assert list(again.edges(data=True)) == [(0, 1, {}), (1, 0, {})]


# scipy


def test_coo_entries_are_edges_and_values_their_feature() -> None:
    matrix = scipy.sparse.coo_array(([0.5, 2], ([0, 2], [1, 0])), shape=(3, 3))
    graph = Graph.from_coo(matrix, x=[[1], [2], [3]])
    assert graph.edge_index.tolist() == [[0, 2], [1, 0]]
    assert graph.edge_attr.tolist() == [[0.5], [2]]
    assert graph.num_nodes == 3
    assert graph.x.tolist() == [[1], [2], [3]]


def test_the_older_coo_matrix_is_taken_too() -> None:
    assert Graph.from_coo(scipy.sparse.coo_matrix([[0, 1], [0, 0]])).edge_index.tolist() == [[0], [1]]


@pytest.mark.parametrize(
    "matrix",
    [
        scipy.sparse.csr_array([[0, 1], [0, 0]]),
        scipy.sparse.coo_array(np.ones((2, 3))),
        scipy.sparse.coo_array(np.ones(2)),
        np.ones((2, 2)),
        None,
    ],
    ids=["csr", "not square", "one axis", "dense", "None"],
)
def test_another_matrix_is_refused(matrix: Any) -> None:
    with pytest.raises(InputError, match="tocoo"):
        Graph.from_coo(matrix)


# pandas


def test_an_edge_list_names_nodes_in_order_of_appearance() -> None:
    frame = pd.DataFrame({"source": ["x", "y", "x"], "target": ["y", "z", "z"], "w": [1, 2, 3], "v": [0.5, 1, 2]})
    graph = Graph.from_edges(frame, edge_features=["v", "w"])
    assert graph.node_ids == ("x", "y", "z")
    assert graph.edge_index.tolist() == [[0, 1, 0], [1, 2, 2]]
    assert graph.edge_attr.tolist() == [[0.5, 1], [1, 2], [2, 3]]
    assert Graph.from_edges(frame).edge_attr is None


def test_an_edge_list_of_other_columns() -> None:
    frame = pd.DataFrame({"from": [7, 8], "to": [8, 9]})
    graph = Graph.from_edges(frame, source="from", target="to")
    assert graph.node_ids == ("7", "8", "9")
    assert graph.edge_index.tolist() == [[0, 1], [1, 2]]


@pytest.mark.parametrize(
    ("frame", "options", "words"),
    [
        (pd.DataFrame({"a": [1]}), {}, "no column 'source'"),
        (pd.DataFrame({"source": [1], "target": [2]}), {"edge_features": ["w"]}, "no column 'w'"),
        ([(0, 1)], {}, "a list"),
        (pd.DataFrame({"source": ["a", None], "target": ["b", "c"]}), {}, "row 1"),
        (
            pd.DataFrame({"source": ["a"], "target": ["b"], "w": ["x"]}),
            {"edge_features": ["w"]},
            "does not hold numbers",
        ),
        (pd.DataFrame({"source": ["a"], "target": ["b"], "w": [None]}), {"edge_features": ["w"]}, "finite"),
        (pd.DataFrame({"source": [], "target": []}), {}, "num_nodes"),
    ],
    ids=["no source", "no feature", "no frame", "no end", "texts", "NaN", "no rows"],
)
def test_a_broken_edge_list_is_refused(frame: Any, options: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Graph.from_edges(frame, **options)


# PyTorch Geometric


@pytest.fixture(scope="module")
def pyg() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its import warns of its own use of torch.jit
        return pytest.importorskip("torch_geometric.data")


EDGES = torch.tensor([[0, 1], [1, 2]])


def test_pyg_data_is_taken_without_a_copy(pyg: Any) -> None:
    data = pyg.Data(edge_index=EDGES, x=torch.ones(3, 4), edge_attr=torch.ones(2, 5))
    graph = Graph.from_pyg(data)
    assert (graph.num_nodes, graph.num_edges) == (3, 2)
    for name in ("edge_index", "x", "edge_attr"):
        assert np.shares_memory(getattr(graph, name), data[name].numpy())


def test_pyg_weights_of_one_axis_become_a_column(pyg: Any) -> None:
    weights = torch.tensor([0.5, 1.5])
    graph = Graph.from_pyg(pyg.Data(edge_index=EDGES, num_nodes=4, edge_attr=weights))
    assert graph.edge_attr.tolist() == [[0.5], [1.5]]
    assert np.shares_memory(graph.edge_attr, weights.numpy())
    assert (graph.num_nodes, graph.x) == (4, None)


def test_pyg_features_that_carry_a_gradient_are_taken(pyg: Any) -> None:
    assert Graph.from_pyg(pyg.Data(edge_index=EDGES, x=torch.ones(3, 1, requires_grad=True))).x.tolist() == [[1]] * 3


def test_pyg_data_without_edges_is_refused(pyg: Any) -> None:
    for data in (pyg.Data(), pyg.HeteroData(), None):
        with pytest.raises(InputError, match="without edge_index"):
            Graph.from_pyg(data)


def test_pyg_edges_out_of_range_are_refused(pyg: Any) -> None:
    with pytest.raises(InputError, match="node 2"):
        Graph.from_pyg(pyg.Data(edge_index=EDGES, num_nodes=2))


# the constructor


def test_nodes_are_counted_from_features_or_names() -> None:
    assert Graph(edge_index=EDGES, x=np.ones((5, 1))).num_nodes == 5
    assert Graph(edge_index=EDGES, x=torch.ones(5, 1)).num_nodes == 5
    assert Graph(edge_index=EDGES, node_ids=list("abcd")).num_nodes == 4


def test_no_edges_of_any_dtype() -> None:
    assert Graph(edge_index=np.zeros((2, 0)), num_nodes=1).edge_index.dtype == np.int64
