"""Steps, seasons and timestamps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from metier_contracts import InputError, Series
from metier_timeseries.calendar import season_of, step_of, timestamps_after
from pandas.tseries.frequencies import to_offset


def series(index: pd.DatetimeIndex, frequency: str | None = None) -> Series:
    return Series(values=np.arange(len(index)), timestamps=index.to_numpy("datetime64[ns]"), frequency=frequency)


@pytest.mark.parametrize(
    ("frequency", "season"),
    [
        ("YS", 1),
        ("YE-MAR", 1),
        ("QS", 4),
        ("QE-NOV", 4),
        ("BQE", 4),
        ("MS", 12),
        ("ME", 12),
        ("BME", 12),
        ("2MS", 6),
        ("W", 52),
        ("W-MON", 52),
        ("D", 7),
        ("B", 5),
        ("h", 24),
        ("8h", 3),
        ("30min", 48),
        ("min", 1440),
        ("s", 3600),
        ("7h", 24),
        ("2D", 1),
        ("100D", 1),
    ],
)
def test_a_frequency_has_its_season(frequency: str, season: int) -> None:
    assert season_of(to_offset(frequency)) == season


def test_no_step_has_no_season() -> None:
    assert season_of(None) == 1
    assert step_of(Series(values=[1, 2, 3])) is None


@pytest.mark.parametrize("frequency", ["h", "D", "B", "W-WED", "MS", "ME", "QS", "YS", "15min"])
def test_the_step_is_found_and_goes_on(frequency: str) -> None:
    index = pd.date_range("2023-02-01", periods=12, freq=frequency)
    given = series(index[:9])
    after = timestamps_after(given, step_of(given), 3)
    assert np.array_equal(after, index[9:].to_numpy("datetime64[ns]"))


def test_two_points_tell_the_step_by_their_distance() -> None:
    given = series(pd.DatetimeIndex(["2024-01-01 00:00", "2024-01-01 00:20"]))
    assert timestamps_after(given, step_of(given), 1) == np.array(["2024-01-01T00:40"], dtype="datetime64[ns]")


def test_a_frequency_without_timestamps_counts() -> None:
    assert season_of(step_of(Series(values=[1, 2], frequency="QS"))) == 4


@pytest.mark.parametrize(
    ("dates", "frequency", "words"),
    [
        (["2024-01-01", "2024-01-02", "2024-01-04", "2024-01-05"], None, "resample"),
        (["2024-01-01", "2024-01-02", "2024-01-04", "2024-01-05"], "D", "frequency 'D'"),
        (["2024-01-01"], None, "no step"),
        (["2024-01-01", "2024-01-02"], "moon", "no frequency"),
    ],
)
def test_what_is_irregular_is_refused(dates: list[str], frequency: str | None, words: str) -> None:
    with pytest.raises(InputError, match=words):
        step_of(series(pd.DatetimeIndex(dates), frequency))


def test_the_error_says_how_irregular() -> None:
    with pytest.raises(InputError, match="steps from 1 days 00:00:00 to 2 days 00:00:00, mostly 1 days"):
        step_of(series(pd.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-04", "2024-01-05"])))


def test_resampled_it_is_regular() -> None:
    given = series(pd.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-04", "2024-01-05"]))
    assert step_of(given.resample("D")) == to_offset("D")
