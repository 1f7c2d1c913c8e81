"""The selector."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from metier_contracts import Forecast, ModelLoadError, Series


def answers(model: Any, context: Any, series: list[Any], horizon: int = 18) -> Any:
    return model.infer(
        [Forecast(series=Series(values=one.x, frequency="MS"), horizon=horizon) for one in series], context
    )


def test_a_high_power_picks_the_best_in_the_backtest(load: Any, context: Any) -> None:
    # A season and nothing else: the last season is the truth.
    values = np.tile([1.0, 9.0, 4.0, 30.0], 12) + np.random.default_rng(0).normal(scale=1e-3, size=48)
    request = Forecast(series=Series(values=values, frequency="QS"), horizon=4)
    [chosen] = load("auto", options={"power": 50, "candidates": ["seasonal-naive"]}).infer([request], context)
    [naive] = load("seasonal-naive").infer([request], context)
    assert chosen.mean == pytest.approx(naive.mean, abs=1e-2)


def test_power_zero_is_the_plain_mean(load: Any, context: Any, monthly: list[Any]) -> None:
    combined = answers(load("auto", options={"power": 0, "candidates": ["theta"]}), context, monthly[:2])
    parts = [answers(load(name), context, monthly[:2]) for name in ("fracast-0", "theta")]
    for whole, *own in zip(combined, *parts, strict=True):
        assert whole.quantiles == pytest.approx(np.mean([one.quantiles for one in own], axis=0), rel=1e-4)


def test_a_candidate_that_fails_is_left_out(load: Any, context: Any) -> None:
    short = Forecast(series=Series(values=[3.0, 1.0, np.nan, 4.0, 1.0, 5.0, 9.0, 2.0], missing=True), horizon=2)
    model = load("auto", options={"candidates": ["seasonal-naive"]})
    [answer] = model.infer([short], context)  # seven observed values are too few for the network
    [naive] = load("seasonal-naive").infer([short], context)
    assert answer.mean == pytest.approx(naive.mean)


def test_where_all_fail_the_error_says_why(load: Any, context: Any) -> None:
    [refused] = load("auto").infer([Forecast(series=Series(values=[1.0, 2.0]), horizon=1)], context)
    assert "too short" in str(refused)


def test_its_bytes_are_those_of_the_network(load: Any, fracast: Any) -> None:
    model = load("auto")
    assert model.resident_bytes() == fracast.resident_bytes()
    model.close()
    assert model.resident_bytes() == 0


def test_without_weights_it_does_not_load(load: Any, tmp_path: Any) -> None:
    with pytest.raises(ModelLoadError):
        load("auto", tmp_path)
