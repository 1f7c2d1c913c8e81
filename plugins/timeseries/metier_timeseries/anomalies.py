"""`Detection`: points that lie outside of what was forecast for them."""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
from metier_contracts import Anomalies, InputError
from numpy.typing import NDArray

from metier_timeseries.quantiles import normal_score

Values = NDArray[np.float64]
Backtest = Callable[[Values], Values]
"""Takes the values of a series, [T], and returns a forecast of all points after the first ones, [N, 3]."""

_FEWEST = 16
# One false alarm in so many points that follow the forecast: at sensitivity 0, and at 1.
_RAREST, _MOST_FREQUENT = 1e-5, 1e-1
_INSIDE = 0.8


class Detection:
    """Scores the points of one series.

    The first points, two seasons or sixteen of them, are only learned from. Each later one is compared with the
    forecast made of it from the points before. Its score is its distance from the median in standard deviations, as the
    forecast's quantiles state them on that side; where more than a fifth of all points lie outside of the band of 80 %,
    the bands are too narrow for this series, and all scores are divided by what they lack. A point is flagged where its
    score exceeds that of a normal distribution at the rate of false alarms that the sensitivity stands for, from 1 in
    100,000 (0) by 1 in 1,000 (0.5) to 1 in 10 (1).

    Points flagged at first are then taken for unobserved, and all is forecast again, so that an anomaly does not
    disturb the forecasts of its successors.

    Args:
        values: float64 [T], NaN where a value was not observed; such a point scores 0.
        season: the steps of a season.
        windows: about how many forecasts to make; more of them look fewer steps ahead.
    """

    levels = (0.1, 0.5, 0.9)

    def __init__(self, values: Values, season: int, windows: int) -> None:
        self._values = values
        self._start = max(_FEWEST, 2 * season)
        if len(values) <= self._start:
            raise InputError(
                "the series is too short to find anomalies in",
                expected=f"more than {self._start} points: those are learned from, and the rest is scored",
                got=f"{len(values)} points",
                blame="series of the request",
            )
        count = len(values) - self._start
        self.stride = -(-count // windows)
        self.origins = range(self._start, len(values), self.stride)

    def run(self, backtest: Backtest, sensitivity: float) -> Anomalies:
        """Return the score of each point, and which of them are flagged."""
        limit = threshold(sensitivity)
        scores = self._scores(backtest(self._values))
        if (scores > limit).any():
            cleaned = self._values.copy()
            cleaned[self._start :][scores > limit] = np.nan
            scores = self._scores(backtest(cleaned))
        every = np.concatenate([np.zeros(self._start), scores]).astype(np.float32)
        return Anomalies(scores=every, flags=every > np.float32(limit))

    def _scores(self, bands: Values) -> Values:
        later = self._values[self._start :]
        low, median, high = bands[: len(later)].T
        # A model that sees no noise at all in a constant series would make a fault of every rounding.
        floor = 1e-6 * max(1e-6, float(np.nanmax(np.abs(self._values))))
        spread = np.where(later < median, median - low, high - median) / normal_score(self.levels[-1])
        scores = np.nan_to_num(np.abs(later - median) / np.maximum(spread, floor))
        observed = scores[np.isfinite(later)]
        usual = np.quantile(observed, _INSIDE) / normal_score(0.5 + _INSIDE / 2) if len(observed) else 1.0
        return np.asarray(np.minimum(scores / max(1.0, float(usual)), 1e6))


def threshold(sensitivity: float) -> float:
    """Return the score beyond which a point is flagged."""
    rate = _RAREST ** (1 - sensitivity) * _MOST_FREQUENT**sensitivity
    return NormalDist().inv_cdf(1 - rate / 2)
