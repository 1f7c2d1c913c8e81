"""Anomalies from forecasts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from metier_contracts import DetectAnomalies, InputError, Series
from metier_timeseries.anomalies import Detection, threshold


def spoiled(series: Series, place: int, factor: float) -> Series:
    values = series.values.copy()
    values[place] *= factor
    return series.model_copy(update={"values": values})


@pytest.mark.parametrize("name", ["fracast-0", "seasonal-naive", "theta"])
@pytest.mark.parametrize(("place", "factor"), [(100, 2.0), (77, 0.4)])
def test_a_spoiled_month_is_the_strangest(
    load: Any, context: Any, passengers: Series, name: str, place: int, factor: float
) -> None:
    [found] = load(name).infer([DetectAnomalies(series=spoiled(passengers, place, factor))], context)
    assert int(np.argmax(found.scores)) == place
    assert found.flags[place]
    assert found.flags.sum() <= 4
    assert not found.scores[:24].any()


def test_more_sensitivity_flags_more(fracast: Any, context: Any, passengers: Series) -> None:
    requests = [DetectAnomalies(series=passengers, sensitivity=level) for level in (0.0, 0.5, 1.0)]
    counts = [int(found.flags.sum()) for found in fracast.infer(requests, context)]
    assert counts == sorted(counts)
    assert counts[0] <= 1 < counts[-1]


def test_sensitivity_is_a_rate_of_false_alarms() -> None:
    assert threshold(0.0) == pytest.approx(4.417, abs=1e-3)
    assert threshold(0.5) == pytest.approx(3.291, abs=1e-3)
    assert threshold(1.0) == pytest.approx(1.645, abs=1e-3)


def test_noise_that_follows_the_forecast_is_flagged_at_that_rate() -> None:
    values = np.random.default_rng(0).normal(size=20_000)
    bands = np.tile([-1.2816, 0.0, 1.2816], (len(values), 1))
    detection = Detection(values, 1, len(values))
    found = detection.run(lambda _: bands[detection.origins.start :], 1.0)
    assert found.flags.mean() == pytest.approx(0.1, abs=0.01)


def test_bands_that_are_too_narrow_are_widened() -> None:
    values = np.random.default_rng(0).normal(size=20_000)
    bands = np.tile([-0.1, 0.0, 0.1], (len(values), 1))
    detection = Detection(values, 1, len(values))
    found = detection.run(lambda _: bands[detection.origins.start :], 1.0)
    assert found.flags.mean() == pytest.approx(0.1, abs=0.02)


def test_an_anomaly_has_no_echo(load: Any, context: Any, passengers: Series) -> None:
    found, whole = load("seasonal-naive").infer(
        [DetectAnomalies(series=one) for one in (spoiled(passengers, 100, 3.0), passengers)], context
    )
    others = np.arange(len(passengers)) != 100
    assert found.flags[100]
    assert found.flags[others].sum() <= whole.flags.sum()


def test_a_missing_point_scores_nothing(fracast: Any, context: Any, passengers: Series) -> None:
    values = passengers.values.copy()
    values[90] = np.nan
    series = passengers.model_copy(update={"values": values, "missing": True})
    [found] = fracast.infer([DetectAnomalies(series=series)], context)
    assert found.scores[90] == 0
    assert not found.flags[90]


def test_few_windows_look_further_ahead(load: Any, context: Any, passengers: Series) -> None:
    [found] = load("seasonal-naive", options={"windows": 7}).infer(
        [DetectAnomalies(series=spoiled(passengers, 100, 3.0))], context
    )
    assert int(np.argmax(found.scores)) == 100
    assert len(found.scores) == len(passengers)


def test_a_constant_series_holds_no_anomaly(load: Any, context: Any) -> None:
    [found] = load("seasonal-naive").infer([DetectAnomalies(series=Series(values=[5.0] * 40))], context)
    assert not found.flags.any()


def test_a_short_series_is_refused(load: Any, context: Any) -> None:
    [refused] = load("theta").infer([DetectAnomalies(series=Series(values=range(16)))], context)
    assert isinstance(refused, InputError)
    assert "more than 16 points" in str(refused)
