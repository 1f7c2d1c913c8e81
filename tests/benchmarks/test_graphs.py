"""The committed judgements of graph models are what the code gives: a slice of each is computed again and compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from benchmarks.evaluate import molecules, packages, social, transfers
from benchmarks.evaluate.rivals_of_graphs import label_propagation
from examples.package_sections.packages import extract

RESULTS = Path(__file__).parents[2] / "docs" / "results"
# Another processor rounds otherwise, and training carries that on.
SLACK = 0.05


def rows(name: str) -> dict[str, Any]:
    path = sorted(RESULTS.glob(f"{name}-*.json"))[-1]
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return found


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METIER_DATA", str(tmp_path))


def test_means_follow_from_what_was_committed() -> None:
    for name, column, column_of_each in (
        ("graph-social", "links_roc_auc", "each"),
        ("graph-molecules", "rmse", "each"),
    ):
        for row in rows(name).values():
            if row[column] is not None:
                assert row[column] == pytest.approx(float(np.mean(row[column_of_each])), abs=6e-3)


@pytest.mark.parametrize("name", ["gnn/adamic-adar", "GraphFit, edge"])
def test_links_are_as_committed(name: str) -> None:
    seed = int(np.random.default_rng(11).integers(social.SPLITS))
    found = social.links(social.WAYS[name], range(seed, seed + 1))
    assert found == pytest.approx([rows("graph-social")[name]["each"][seed]], abs=SLACK)


def test_hidden_links_are_not_in_the_graph() -> None:
    hidden = social.hide(0)
    left = set(map(tuple, hidden.graph.edge_index.T.tolist()))
    assert not left & set(map(tuple, hidden.pairs.T.tolist()))
    assert (hidden.linked.sum(), hidden.graph.num_edges) == (social.HELD_OUT, 2 * (254 - social.HELD_OUT))


def test_transfers_are_as_committed() -> None:
    simulated = transfers.simulate()
    known, held_out = transfers.labelled(simulated, 0.05)
    scores = transfers.network_scores(simulated, known, "sage")
    found = average_precision_score(simulated.fraud[held_out], scores[held_out])
    committed = rows("graph-transfers")["SAGE, 5% labelled"]["average_precision"]
    assert found == pytest.approx(committed, abs=2 * SLACK)


def test_the_simulator_is_seeded_and_as_described() -> None:
    one, again, other = transfers.simulate(1, 1500, 6), transfers.simulate(1, 1500, 6), transfers.simulate(2, 1500, 6)
    assert (one.graph.edge_index == again.graph.edge_index).all()
    assert one.graph.num_edges != other.graph.num_edges
    assert one.fraud.sum() == 6 * transfers.RING
    within = one.fraud[one.graph.edge_index].all(axis=0)
    assert within.sum() >= 6 * 2 * transfers.RING
    known, held_out = transfers.labelled(one, 0.5)
    assert not set(known) & set(held_out)


def test_molecules_are_as_committed() -> None:
    data = molecules.freesolv()
    assert len(data.smiles) == 642
    found = molecules.error(molecules.ridge, data, 2)
    assert found == pytest.approx(rows("graph-molecules")["ridge on Morgan fragments"]["each"][2], abs=SLACK)


def test_a_molecule_as_a_graph() -> None:
    ethanol = molecules.graph_of("CCO")
    assert ethanol.edge_index.T.tolist() == [[0, 1], [1, 0], [1, 2], [2, 1]]
    assert ethanol.x is not None
    assert ethanol.x[:, [0, 2, 12]].tolist() == [[1, 0, 3], [1, 0, 2], [0, 1, 1]]
    with pytest.raises(ValueError, match="no SMILES"):
        molecules.graph_of("C(")


def test_the_sections_told_are_as_right_as_committed() -> None:
    path = sorted(RESULTS.glob("graph-packages-*.json"))[-1]
    result = json.loads(path.read_text(encoding="utf-8"))
    assert len(result["truth"]) == packages.COUNT - packages.LABELLED
    for row in result["rows"].values():
        right = [told == truth for told, truth in zip(row["predictions"], result["truth"], strict=True)]
        assert float(np.mean(right)) == pytest.approx(row["accuracy"], abs=1e-4)
    accuracies = [row["accuracy"] for row in result["rows"].values()]
    assert max(accuracies) == result["rows"]["GraphSAGE on links and MiniLM vectors"]["accuracy"]


def test_each_split_of_packages_is_whole() -> None:
    parts = packages.split(extract(), labelled=500)
    assert sorted([*parts.known, *parts.held_out]) == list(range(2000))
    spread = packages.spread(extract(), parts)
    most = packages.majority(extract(), parts)
    truth = extract().truth[parts.held_out]
    assert (spread[parts.held_out] == truth).mean() > (most[parts.held_out] == truth).mean() + 0.1


def test_labels_spread_over_links() -> None:
    graph = social.hide(0).graph
    scores = label_propagation(graph, np.array([0, 11]), np.array([1, 0]))
    assert scores.shape == (77, 2)
    assert scores.argmax(axis=1)[[0, 11]].tolist() == [1, 0]
