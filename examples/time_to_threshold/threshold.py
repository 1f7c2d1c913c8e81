"""When a forecast passes a limit."""

from dataclasses import dataclass

import numpy as np
from metier_contracts import ForecastResult
from numpy.typing import NDArray

LEVELS = tuple(round(0.05 * step, 2) for step in range(1, 20))


@dataclass(frozen=True)
class Passing:
    """The first steps, counted from 1, at which the limit is passed with a probability of 10, 50 and 90 %.

    None where the forecast ends before.
    """

    early: int | None
    middle: int | None
    late: int | None


def passing(forecast: ForecastResult, limit: float) -> Passing:
    """Return when a reading that rises passes `limit`."""
    above = np.maximum.accumulate(probability_above(forecast, limit))
    return Passing(*(_first(above >= share) for share in (0.1, 0.5, 0.9)))


def probability_above(forecast: ForecastResult, limit: float) -> NDArray[np.float64]:
    """Return how probable a reading above `limit` is at each step, float64 [H], linear between quantiles."""
    levels = np.array(forecast.quantile_levels)
    return np.array([1 - np.interp(limit, row, levels, left=0.0, right=1.0) for row in forecast.quantiles])


def _first(reached: NDArray[np.bool_]) -> int | None:
    return int(np.argmax(reached)) + 1 if reached.any() else None
