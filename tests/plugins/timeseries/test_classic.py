"""The models of statsforecast."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from metier_contracts import Covariate, Forecast, InputError, Series
from statsforecast.models import AutoARIMA, AutoETS, SeasonalNaive, Theta

METHODS = ["seasonal-naive", "theta", "optimized-theta", "auto-ets", "auto-ces", "auto-arima"]


@pytest.mark.parametrize(
    ("name", "model"),
    [("seasonal-naive", SeasonalNaive), ("theta", Theta), ("auto-ets", AutoETS), ("auto-arima", AutoARIMA)],
)
def test_it_is_the_forecast_of_statsforecast(load: Any, context: Any, past: Series, name: str, model: Any) -> None:
    [answer] = load(name).infer([Forecast(series=past, horizon=5, quantiles=(0.025, 0.1, 0.5, 0.9))], context)
    direct = model(season_length=12).forecast(y=past.values, h=5, level=[80, 95])
    columns = [direct[key] for key in ("lo-95", "lo-80", "mean", "hi-80")]
    assert answer.mean == pytest.approx(direct["mean"])
    assert answer.quantiles == pytest.approx(np.stack(columns, axis=1))


@pytest.mark.parametrize("name", METHODS)
def test_two_years_of_passengers_are_forecast(
    load: Any, context: Any, passengers: Series, past: Series, name: str
) -> None:
    [answer] = load(name).infer([Forecast(series=past, horizon=24)], context)
    truth = passengers.values[-24:]
    assert answer.timestamps[[0, -1]].tolist() == passengers.timestamps[[-24, -1]].tolist()
    assert np.abs(answer.mean / truth - 1).mean() < 0.2
    assert (np.diff(answer.quantiles, axis=1) > 0).all()


def test_the_season_is_that_of_the_frequency_or_of_the_card(load: Any, context: Any) -> None:
    values = np.tile([1.0, 5.0, 2.0, 8.0], 10) + np.arange(40) / 100
    quarterly = Forecast(series=Series(values=values, frequency="QS"), horizon=4, quantiles=())
    unknown = Forecast(series=Series(values=values), horizon=4, quantiles=())
    [seasonal, last] = load("seasonal-naive").infer([quarterly, unknown], context)
    assert seasonal.mean == pytest.approx(values[-4:])
    assert last.mean == pytest.approx(values[[-1] * 4])
    [told] = load("seasonal-naive", options={"season": 4}).infer([unknown], context)
    assert told.mean == pytest.approx(values[-4:])


def test_less_than_two_seasons_are_none(load: Any, context: Any) -> None:
    series = Series(values=np.arange(20.0) ** 1.1, frequency="MS")
    [answer] = load("seasonal-naive").infer([Forecast(series=series, horizon=2)], context)
    assert answer.mean == pytest.approx(series.values[[-1, -1]])


def test_gaps_are_bridged_by_the_season(load: Any, context: Any, past: Series) -> None:
    gappy = past.values.copy()
    gappy[[50, 51, 100]] = np.nan
    whole, holed = load("theta").infer(
        [
            Forecast(series=past, horizon=6),
            Forecast(series=past.model_copy(update={"values": gappy, "missing": True}), horizon=6),
        ],
        context,
    )
    assert holed.mean == pytest.approx(whole.mean, rel=0.02)


@pytest.mark.parametrize("name", METHODS)
def test_a_constant_series_stays(load: Any, context: Any, name: str) -> None:
    [answer] = load(name).infer([Forecast(series=Series(values=[7.0] * 9), horizon=3)], context)
    assert answer.mean.tolist() == [7.0] * 3
    assert answer.quantiles.tolist() == [[7.0] * 3] * 3


def test_a_short_series_fails_alone(load: Any, context: Any, past: Series) -> None:
    short = Forecast(series=Series(values=[1.0, 2.0]), horizon=1)
    refused, answer = load("theta").infer([short, Forecast(series=past, horizon=1)], context)
    assert isinstance(refused, InputError)
    assert "8 points or more" in str(refused)
    assert len(answer.mean) == 1


def _driven() -> tuple[Any, Any, Any]:
    generator = np.random.default_rng(0)
    driver = generator.normal(size=64)
    values = 10 + 3 * driver + generator.normal(scale=0.1, size=64)
    return values, driver[:60], driver[60:]


def test_arima_takes_covariates_known_ahead(load: Any, context: Any) -> None:
    values, before, ahead = _driven()
    request = Forecast(
        series=Series(values=values[:60]), horizon=4, covariates={"driver": Covariate(past=before, future=ahead)}
    )
    [answer] = load("auto-arima").infer([request], context)
    assert answer.mean == pytest.approx(values[60:], abs=0.5)


def test_arima_refuses_covariates_of_the_past_alone(load: Any, context: Any) -> None:
    values, before, _ = _driven()
    request = Forecast(series=Series(values=values[:60]), horizon=4, covariates={"driver": Covariate(past=before)})
    [refused] = load("auto-arima").infer([request], context)
    assert isinstance(refused, InputError)
    assert "covariates.driver.future" in str(refused)
