"""Fracast-0, on its real weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fracast import FracastModel
from metier_contracts import Forecast, InputError, Series
from metier_timeseries.quantiles import at_levels

NINE = tuple(round(0.1 * step, 1) for step in range(1, 10))


@pytest.fixture(scope="module")
def direct() -> Any:
    return FracastModel.from_pretrained(weights="fp32")


def test_it_is_the_forecast_of_the_package(fracast: Any, direct: Any, context: Any, past: Series) -> None:
    [answer] = fracast.infer([Forecast(series=past, horizon=24, quantiles=NINE)], context)
    own = np.sort(direct.forecast(past.values, horizon=24), axis=1)
    assert answer.quantiles == pytest.approx(own, rel=1e-5)
    assert answer.mean == pytest.approx(own[:, 4], rel=1e-5)


def test_series_of_all_lengths_pass_together(fracast: Any, context: Any, monthly: list[Any]) -> None:
    requests = [Forecast(series=Series(values=one.x), horizon=horizon) for one in monthly[:5] for horizon in (3, 18)]
    singles = [fracast.infer([request], context)[0] for request in requests]
    for alone, together in zip(singles, fracast.infer(requests, context), strict=True):
        assert together.quantiles == pytest.approx(alone.quantiles, rel=1e-4)


def test_it_beats_the_last_season_on_monthly_series(fracast: Any, load: Any, context: Any, monthly: list[Any]) -> None:
    requests = [Forecast(series=Series(values=one.x, frequency="MS"), horizon=18) for one in monthly]

    def error(model: Any) -> float:
        answers = model.infer(requests, context)
        pairs = [(one.xx, answer.quantiles[:, 1]) for one, answer in zip(monthly, answers, strict=True)]
        return float(np.mean([np.mean(200 * np.abs(a - b) / (np.abs(a) + np.abs(b))) for a, b in pairs]))

    assert error(fracast) < error(load("seasonal-naive"))


def test_beyond_its_horizon_it_goes_on_from_its_median(fracast: Any, direct: Any, context: Any, past: Series) -> None:
    [answer] = fracast.infer([Forecast(series=past, horizon=60)], context)
    own = at_levels(np.float64(direct.forecast(past.values, horizon=60)), NINE, (0.1, 0.5, 0.9))
    assert answer.quantiles == pytest.approx(own, rel=1e-4)


def test_gaps_are_read_over(fracast: Any, context: Any, past: Series) -> None:
    gappy = past.values.copy()
    gappy[[50, 51, 100]] = np.nan
    series = past.model_copy(update={"values": gappy, "missing": True})
    whole, holed = fracast.infer([Forecast(series=one, horizon=12) for one in (past, series)], context)
    assert holed.mean == pytest.approx(whole.mean, rel=0.1)


@pytest.mark.parametrize("values", [[1.0] * 7, [1.0] * 7 + [np.nan] * 20])
def test_a_short_series_fails_alone(fracast: Any, context: Any, past: Series, values: list[float]) -> None:
    requests = [
        Forecast(series=Series(values=values, missing=True), horizon=1),
        Forecast(series=past, horizon=1),
    ]
    refused, answer = fracast.infer(requests, context)
    assert isinstance(refused, InputError)
    assert len(answer.mean) == 1


def test_its_bytes_are_those_of_its_parameters(load: Any) -> None:
    model = load("fracast-0")
    assert model.resident_bytes() >= 85_001 * 4
    model.close()
    assert model.resident_bytes() == 0
