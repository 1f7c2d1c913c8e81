"""The committed judgements of forecasters are what the code gives: a slice drawn at random is computed again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from metier import Runtime
from metier_contracts import ForecastResult, InferenceError
from metier_timeseries.options import AutoOptions

from benchmarks.evaluate import forecasts, selection
from benchmarks.evaluate.competitions import LEVELS, Competition, Item, competition

RESULTS = Path(__file__).parents[2] / "docs" / "results"
NAMES: tuple[Competition, ...] = get_args(Competition)
SLICE = 6


def committed(name: str) -> dict[str, Any]:
    """The newest result of that name."""
    (*_, newest) = sorted(RESULTS.glob(f"forecast-{name.lower()}-*.json"))
    loaded: dict[str, Any] = json.loads(newest.read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize("name", NAMES)
def test_means_follow_from_the_committed_errors(name: Competition) -> None:
    rows = committed(name)["rows"]
    for way in forecasts.WAYS:
        row = rows[way.model]
        each = [value for value in row["each"] if value is not None]
        assert len(row["each"]) == row["series"] == len(competition(name)[:: way.every])
        assert row["MASE"] == pytest.approx(float(np.mean(each)), abs=1e-3)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("model", ["seasonal-naive", "fracast-0", "auto"])
def test_a_random_slice_is_as_committed(name: Competition, model: str) -> None:
    items, each = competition(name), committed(name)["rows"][model]["each"]
    chosen = np.random.default_rng(11).choice(len(items), SLICE, replace=False)
    with Runtime() as runtime:
        found = forecasts.answers(runtime, model, [items[place] for place in chosen])
    row = forecasts.row([items[place] for place in chosen], forecasts.Way(model), found)
    # Searches for parameters end a little elsewhere on another processor.
    assert row["each"] == pytest.approx([each[place] for place in chosen], rel=0.05, abs=0.01)


def test_the_selector_is_better_than_each_model_alone_where_it_was_not_fitted() -> None:
    rows = committed("M3")["rows"]
    alone = {way.model: rows[way.model]["MASE"] for way in forecasts.WAYS if way.every == 1 and way.model != "auto"}
    assert rows["auto"]["MASE"] < min(alone.values())


def test_the_card_holds_settings_that_did_as_well_as_any() -> None:
    rows = committed("settings")["rows"]
    errors = {
        (folds, power): rows[f"auto, folds {folds}"][f"power {power:g}"]
        for folds in selection.FOLDS
        for power in selection.POWERS
    }
    chosen = AutoOptions(loader="auto")
    assert errors[chosen.folds, chosen.power] == min(errors[chosen.folds, power] for power in selection.POWERS)
    # More backtests that gain less are not worth their time.
    assert errors[chosen.folds, chosen.power] < 1.001 * min(errors.values())


def test_settings_are_tried_on_what_is_given() -> None:
    rows = selection.tried(competition("Tourism")[::300])
    candidates = [row for name, row in rows.items() if not name.startswith("auto, ")]
    settings = [row for name, row in rows.items() if name.startswith("auto, ")]
    assert len(settings) == len(selection.FOLDS)
    assert all(0 < row["MASE"] < 10 for row in candidates)
    assert len({row["power 0"] for row in settings}) == 1  # without weights the folds do not matter


def test_a_failure_counts_as_failed_alone() -> None:
    item = Item("a", "yearly", 1, np.array([8.0, 9.0]), np.array([10.0, 20.0]))
    rows = [[step + level for level in LEVELS] for step in (9.5, 19.5)]
    answer = ForecastResult(mean=[row[4] for row in rows], quantiles=rows, quantile_levels=LEVELS)
    row = forecasts.row([item, item], forecasts.Way("any"), [answer, InferenceError("no")])
    assert (row["series"], row["failed"], row["MASE"], row["coverage"]) == (2, 1, 0.0, 1.0)
    assert row["each"] == [0.0, None]
