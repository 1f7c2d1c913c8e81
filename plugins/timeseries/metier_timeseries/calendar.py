"""Time: the step of a series, the season that goes with it, and the timestamps to come."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
from metier_contracts import InputError, Series
from numpy.typing import NDArray
from pandas.tseries.frequencies import to_offset
from pandas.tseries.offsets import BaseOffset

_HOUR, _DAY, _WEEK = 3_600.0, 86_400.0, 604_800.0
# Seasons of the steps that are no fixed time, by the name of pandas' offset without its anchor.
_CALENDAR = {"Y": 1, "A": 1, "Q": 4, "M": 12, "W": 52, "B": 5, "C": 5, "D": 7, "S": 24}
_FEWEST_TO_INFER = 3


def step_of(series: Series) -> BaseOffset | None:
    """Return the time between two points, or None for a series that has neither timestamps nor a frequency.

    Raises:
        InputError: the timestamps are not evenly spaced, or not as the frequency says.
    """
    stated = None if series.frequency is None else _offset(series.frequency)
    if series.timestamps is None:
        return stated
    index = pd.DatetimeIndex(series.timestamps)
    if stated is not None:
        return _checked(index, stated)
    if len(index) < _FEWEST_TO_INFER:
        return _difference(index)
    inferred = pd.infer_freq(index)
    if inferred is None:
        raise _irregular(index, "evenly spaced timestamps")
    return _offset(inferred)


def season_of(step: BaseOffset | None) -> int:
    """Return the steps of the natural season: of a day for hours and minutes, a week for days, a year for months.

    1, which is no season, where the step is unknown or itself a year or more.
    """
    if step is None:
        return 1
    seconds = _seconds(step)
    if seconds is None:
        kind = step.name.partition("-")[0].removeprefix("B") or "B"
        return max(1, _CALENDAR.get(kind[:1], 1) // max(1, step.n))
    for cycle in (_HOUR,) * (seconds < 60) + (_DAY, _WEEK):
        count = cycle / seconds
        if count > 1 and count == int(count):
            return int(count)
    return 52 if seconds == _WEEK else 1


def timestamps_after(series: Series, step: BaseOffset | None, horizon: int) -> NDArray[np.datetime64] | None:
    """Return the `horizon` timestamps that follow the series, datetime64[ns] [H], or None where it has none."""
    if series.timestamps is None or step is None:
        return None
    return pd.date_range(series.timestamps[-1], periods=horizon + 1, freq=step)[1:].to_numpy("datetime64[ns]")


def _offset(alias: str) -> BaseOffset:
    try:
        return to_offset(alias)
    except ValueError:
        raise InputError(
            f"{alias!r} is no frequency",
            expected="an alias of pandas, such as h, D, W, MS, QS or YS",
            got=repr(alias),
            blame="frequency of the series",
        ) from None


def _seconds(step: BaseOffset) -> float | None:
    """Return the length of a step of fixed time, in seconds."""
    kind = step.name.partition("-")[0]
    if kind in ("D", "W"):
        return step.n * (_DAY if kind == "D" else _WEEK)
    try:
        return pd.Timedelta(step).total_seconds()  # type: ignore[arg-type]
    except ValueError:
        return None


def _checked(index: pd.DatetimeIndex, step: BaseOffset) -> BaseOffset:
    expected = pd.date_range(index[0], periods=len(index), freq=step)
    if not index.equals(expected):
        raise _irregular(index, f"timestamps that step by the frequency {step.freqstr!r} of the series")
    return step


def _difference(index: pd.DatetimeIndex) -> BaseOffset:
    if len(index) < 2:
        raise InputError(
            "one timestamp tells no step",
            expected="a series with a frequency, or two timestamps and more",
            got=f"{index[0]} alone",
            blame="timestamps of the series",
        )
    return to_offset(timedelta(seconds=(index[1] - index[0]).total_seconds()))


def _irregular(index: pd.DatetimeIndex, expected: str) -> InputError:
    steps = index.to_series().diff().dropna()
    return InputError(
        "the series is irregular",
        expected=expected,
        got=f"steps from {steps.min()} to {steps.max()}, mostly {steps.mode().iloc[0]}",
        blame="timestamps of the series",
        hint='resample it: series.resample("h"), or --resample h, with the step that it should have',
    )
