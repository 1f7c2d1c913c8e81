"""The measures of forecasts, against figures worked out by hand and against each other."""

from __future__ import annotations

import numpy as np
import pytest
from metier_contracts import ForecastResult

from benchmarks.evaluate import competitions
from benchmarks.evaluate.competitions import LEVELS, Item


def item(past: list[float], future: list[float], season: int = 1) -> Item:
    return Item("a", "yearly", season, np.array(past), np.array(future))


def test_the_competitions_are_whole() -> None:
    assert len(competitions.competition("M3")) == 3003
    assert len(competitions.competition("Tourism")) == 1311


def test_smape() -> None:
    assert competitions.smape(np.array([100.0, 50.0, 0.0]), np.array([110.0, 50.0, 0.0])) == pytest.approx(
        200 * 10 / 210 / 3
    )


def test_mase_is_in_units_of_the_seasonal_naive_forecast() -> None:
    one = item([1, 5, 2, 7], [3, 8], season=2)
    assert competitions.mase(one, np.array([4.0, 8.0])) == pytest.approx(0.5 / 1.5)
    assert np.isnan(competitions.mase(item([2, 2, 2], [2]), np.array([3.0])))


def test_pinball_is_least_at_the_quantile() -> None:
    values = np.random.default_rng(0).normal(size=4000)
    places = np.linspace(-2, 2, 81)
    losses = [competitions.pinball(values, np.full((4000, 9), place)).mean(axis=0) for place in places]
    assert places[np.argmin(losses, axis=0)] == pytest.approx(np.quantile(values, LEVELS), abs=0.06)


def test_the_score_of_one_forecast() -> None:
    rows = [[step + level for level in LEVELS] for step in (9.5, 19.5)]
    answer = ForecastResult(mean=[row[4] for row in rows], quantiles=rows, quantile_levels=LEVELS)
    found = competitions.score(item([8, 9], [10, 30]), answer)
    assert (found.size, found.inside, found.steps) == (40, 1, 2)
    assert found.mase == pytest.approx(5)
    assert found.smape == pytest.approx(200 * 10 / 50 / 2)
    assert found.loss == pytest.approx(competitions.pinball(np.array([10.0, 30.0]), np.array(rows)).sum())
