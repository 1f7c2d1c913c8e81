"""Graph models through the runtime and the command line: fitted, listed, used by id, and chosen."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from metier import Runtime
from metier.cli import app
from metier_contracts import Graph, GraphFit, GraphScore, NoCapableModelError
from metier_gnn.molecules import molecule
from numpy.typing import NDArray
from typer.testing import CliRunner

PATH = GraphScore(graph=Graph.from_networkx(nx.path_graph(3)))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("METIER_DATA", str(tmp_path))
    return tmp_path


def test_a_model_is_fitted_kept_and_used_again(karate: Graph, clubs: NDArray[np.int64]) -> None:
    request = GraphFit(id="mine/club", graphs=[karate], indices=[0, 33], targets=[0, 1], architecture="gcn")
    with Runtime() as runtime:
        card = runtime.fit(request)
        first = runtime.run(GraphScore(graph=karate), model="mine/club")
    assert card.lineage is not None
    assert (card.lineage.base, card.lineage.method) == ("gnn/from-scratch", "gcn")
    with Runtime(offline=True) as runtime:
        again = runtime.run(GraphScore(graph=karate), model="mine/club")
    assert (again.scores == first.scores).all()
    assert (first.scores.argmax(axis=1) == clubs).mean() > 0.85


def test_the_list_shows_what_was_fitted(karate: Graph) -> None:
    with Runtime() as runtime:
        runtime.fit(GraphFit(id="mine/gat", graphs=[karate], targets=[0, 1] * 17, architecture="gat", epochs=1))
    listed = CliRunner().invoke(app, ["models", "--json"]).output
    assert "mine/gat" in listed
    assert "gnn/from-scratch" in listed


def test_a_level_that_the_model_does_not_have(karate: Graph) -> None:
    with Runtime() as runtime, pytest.raises(NoCapableModelError):
        runtime.run(GraphScore(graph=karate, level="graph"), model="gnn/from-scratch")


def test_other_features_are_refused(karate: Graph) -> None:
    with Runtime() as runtime:
        runtime.fit(GraphFit(id="mine/club", graphs=[karate], targets=[0, 1] * 17, epochs=1))
        with pytest.raises(NoCapableModelError, match=r"takes GraphSchema\(node_features=34\), needs GraphSchema\("):
            runtime.run(PATH, model="mine/club")
        assert runtime.run(PATH).provenance.model == "gnn/from-scratch"


def test_a_model_of_molecules_takes_no_other_graph() -> None:
    plain = GraphScore(graph=PATH.graph, level="graph")
    ethanol = GraphScore(graph=molecule("CCO"), level="graph")
    molecular = {"admet-regression", "admet-classification"}
    with Runtime() as runtime:
        for model in (None, *molecular):
            with pytest.raises(NoCapableModelError, match="node_features=72, edge_features=14"):
                runtime.run(plain, model=model)
        assert not molecular & {candidate.model for candidate in runtime.decide(plain).ranked}
        assert molecular == {candidate.model for candidate in runtime.decide(ethanol).ranked}
        assert runtime.run(ethanol).provenance.model in molecular


def test_a_graph_on_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "edges.csv"
    pairs = [f"{a},{b}" for a, b in nx.les_miserables_graph().edges]
    file.write_text("\n".join(["source,target", *pairs]) + "\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["run", "graph-score", "--edges", str(file)])
    assert done.exit_code == 0, done.output
    assert "Valjean" in done.output
    assert "unusual" in done.output
