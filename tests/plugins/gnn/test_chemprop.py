"""Chemprop's networks without Chemprop: their answers beside those that ADMET-AI published, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from metier.weights import WeightStore
from metier_contracts import (
    CallContext,
    Graph,
    GraphScore,
    InputError,
    MetierError,
    ModelCard,
    Placement,
    UnsafeWeightsError,
)
from metier_gnn.inert import Inert, read_inert
from metier_gnn.molecules import ATOM_COLUMNS, BOND_COLUMNS, molecule
from metier_gnn.plugin import metier_load

PUBLISHED: Mapping[str, Mapping[str, float]] = json.loads(
    (Path(__file__).parent / "data" / "admet.json").read_text(encoding="utf-8")
)
CARDS = "admet-regression", "admet-classification"


@pytest.fixture(scope="module", params=CARDS)
def model(request: pytest.FixtureRequest, cards: Mapping[str, ModelCard]) -> Any:
    card = cards[request.param]
    return metier_load(card=card, placement=Placement(directory=WeightStore().ensure(card)))


def asked(smiles: str) -> GraphScore:
    return GraphScore(graph=molecule(smiles), level="graph")


def test_answers_are_those_that_were_published(model: Any, context: CallContext) -> None:
    answers = model.infer([asked(smiles) for smiles in PUBLISHED], context)
    for answer, published in zip(answers, PUBLISHED.values(), strict=True):
        assert answer.scores[0] == pytest.approx([published[label] for label in answer.labels], rel=2e-5, abs=2e-5)
        assert set(answer.labels) == set(model.card.tasks["graph-score"].labels)


def test_a_molecule_is_scored_as_if_alone(model: Any, context: CallContext) -> None:
    several = [asked(smiles) for smiles in PUBLISHED]
    together = [answer.scores for answer in model.infer(several, context)]
    alone = [model.infer([one], context)[0].scores for one in several]
    assert np.concatenate(together) == pytest.approx(np.concatenate(alone), rel=1e-4, abs=1e-5)


def test_an_atom_without_bonds(model: Any, context: CallContext) -> None:
    [answer] = model.infer([asked("O")], context)
    assert np.isfinite(answer.scores).all()


def test_one_graph_fails_alone(model: Any, context: CallContext) -> None:
    whole = molecule("CCO")
    half = Graph(edge_index=whole.edge_index[:, :1], x=whole.x, edge_attr=whole.edge_attr[:1])
    bare = Graph(edge_index=whole.edge_index, num_nodes=3)
    failed, sound, narrow = model.infer(
        [GraphScore(graph=half, level="graph"), asked("CCO"), GraphScore(graph=bare, level="graph")], context
    )
    assert isinstance(failed, InputError)
    assert "one way" in str(failed)
    assert sound.scores.shape == (1, len(sound.labels))
    assert isinstance(narrow, InputError)
    assert (narrow.expected, narrow.got) == (f"x with {ATOM_COLUMNS} columns", "no x")


def test_columns_of_atoms_and_bonds() -> None:
    graph = molecule("C#N")
    assert graph.x is not None
    assert graph.edge_attr is not None
    assert graph.x.shape == (2, ATOM_COLUMNS)
    assert graph.edge_attr.shape == (2, BOND_COLUMNS)
    assert np.flatnonzero(graph.x[0, :37]).tolist() == [5]
    assert graph.x[:, -1] == pytest.approx([0.12011, 0.14007])
    assert np.flatnonzero(graph.edge_attr[0]).tolist() == [3, 7]


@pytest.mark.parametrize("smiles", ["C(", ""])
def test_what_is_no_molecule(smiles: str) -> None:
    with pytest.raises(InputError, match="no molecule"):
        molecule(smiles)


def test_another_kind_of_network_is_refused(cards: Mapping[str, ModelCard], tmp_path: Path) -> None:
    content = {"hyper_parameters": {"batch_norm": True}, "state_dict": {}, "output_columns": ["a"]}
    torch.save(content, tmp_path / "model_0.pt")
    with pytest.raises(MetierError, match="could not be loaded"):
        metier_load(card=cards["admet-regression"], placement=Placement(directory=tmp_path))


class Trap:
    """Would write a file where a checkpoint that holds it is unpickled in full."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (Path(self.path),))


class Settings:
    """Stands for what another package keeps beside its weights."""

    def __init__(self) -> None:
        self.depth = 3


def test_a_checkpoint_runs_nothing(tmp_path: Path) -> None:
    made, file = tmp_path / "made", tmp_path / "trap.pt"
    torch.save({"a": torch.ones(2), "b": Trap(str(made))}, file)
    torch.load(file, weights_only=False)
    assert made.exists()
    made.unlink()
    with pytest.raises(UnsafeWeightsError, match="full unpickler"):
        read_inert(file)
    assert not made.exists()


def test_objects_of_other_packages_are_stood_in_for(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(2), "b": Settings()}, tmp_path / "with.pt")
    content = read_inert(tmp_path / "with.pt")
    assert isinstance(content["b"], Inert)
    assert content["a"].tolist() == [1, 1]
