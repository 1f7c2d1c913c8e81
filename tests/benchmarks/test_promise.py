"""The committed trial of the promise follows from the committed outcomes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.evaluate import power, promise


def rows_of(name: str) -> dict[str, Any]:
    """Return the rows of the newest result."""
    path = max((Path(__file__).parents[2] / "docs" / "results").glob(f"{name}-*.json"))
    rows: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return rows


SETS, POWER = rows_of("cascade-promise"), rows_of("cascade-power")


def test_there_are_three_sets_with_five_thousand_texts_held_out() -> None:
    assert len(SETS) >= 3
    assert all(row["held_out"] >= 5000 for row in SETS.values())


@pytest.mark.parametrize("name", SETS)
def test_the_promise_is_kept(name: str) -> None:
    row = SETS[name]
    assert row["broken"] <= 16
    assert row["refused"] <= promise.RESAMPLES / 2
    assert row["broken_by_a_naive_threshold"] > 16


@pytest.mark.parametrize("name", SETS)
def test_a_random_slice_of_the_resamples_is_as_committed(name: str) -> None:
    outcomes = promise.read(SETS[name]["predictions"])
    chosen = np.random.default_rng(5).choice(promise.RESAMPLES, 20, replace=False).tolist()
    made = promise.trial(outcomes, chosen)
    for key in ("kept", "lost"):
        assert made[key] == [SETS[name]["each"][key][number] for number in chosen]


@pytest.mark.parametrize("name", SETS)
def test_the_counts_follow_from_the_resamples(name: str) -> None:
    row = SETS[name]
    told = promise.summary(row["each"], promise.read(row["predictions"]), row["each"]["cheap_price"])
    assert {key: row[key] for key in told} == told


def test_outcomes_are_read_as_they_were_written() -> None:
    scores = np.array([0.0, 0.5, 1.0])
    outcomes = promise.Outcomes(scores, np.array([True, False, True]), np.array([False, True, True]))
    found = promise.read(outcomes.written())
    assert np.allclose(found.scores, scores, atol=1e-4)
    assert (found.cheap_right == outcomes.cheap_right).all()
    assert (found.strong_right == outcomes.strong_right).all()


@pytest.mark.parametrize("name", power.TESTS)
def test_the_power_of_a_test_is_as_committed(name: str) -> None:
    losing, gaining = power.TRUTHS[1]
    committed = POWER[name][f"{losing:g} / {gaining:g}"]
    assert power.power(power.TESTS[name], losing, gaining) == pytest.approx(committed, abs=0.005)


def test_the_test_that_was_chosen_is_the_most_powerful() -> None:
    chosen, *others = (list(row.values()) for row in POWER.values())
    assert all(max(rivals) <= mine for mine, *rivals in zip(chosen, *others, strict=True))
