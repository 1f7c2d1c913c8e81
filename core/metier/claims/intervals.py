"""Intervals of 95 %: of shares, of ratios of sums over items, of their difference, and of a median of rounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metier.intervals import wilson_interval

Parts = NDArray[np.float64]
"""[N, 2]: what each item adds to the numerator and to the denominator of a figure."""

DRAWS, SEED = 10_000, 20261128


@dataclass(frozen=True)
class Interval:
    """From `low` to `high`, both included."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Tell whether a value lies within."""
        return self.low <= value <= self.high


def ratio_of_sums(parts: Parts) -> float:
    """Return the sum of the numerators over that of the denominators."""
    top, bottom = parts.sum(axis=0)
    return float(top / bottom)


def wilson(right: int, count: int) -> Interval:
    """Return Wilson's interval (1927) of a share of `count` items."""
    return Interval(*wilson_interval(right, count))


def bootstrap(parts: Parts) -> Interval:
    """Return the percentile interval of a ratio of sums, over items drawn anew."""
    return _percentiles(_resampled(parts, _draws(len(parts))))


def paired_difference(first: Parts, second: Parts) -> Interval:
    """Return the percentile interval of first - second, over the same items drawn anew for both."""
    draws = _draws(len(first))
    return _percentiles(_resampled(first, draws) - _resampled(second, draws))


def over_rounds(values: Sequence[float]) -> Interval:
    """Return the lowest and the highest of some rounds, which hold the median of all rounds with `confidence`."""
    return Interval(min(values), max(values))


def confidence(rounds: int) -> float:
    """Return how surely the range of independent rounds holds their median, whatever their distribution."""
    return float(1 - 0.5 ** (rounds - 1))


def _draws(count: int) -> NDArray[np.float64]:
    """Return how often each item is drawn, [draws, N]: the same for the same count."""
    return np.random.default_rng(SEED).multinomial(count, np.full(count, 1 / count), size=DRAWS).astype(np.float64)


def _resampled(parts: Parts, draws: NDArray[np.float64]) -> NDArray[np.float64]:
    sums = draws @ parts
    # A draw of texts without anything to find, and where nothing was found, has no figure.
    ratios: NDArray[np.float64] = np.divide(
        sums[:, 0], sums[:, 1], out=np.full(len(sums), np.nan), where=sums[:, 1] > 0
    )
    return ratios


def _percentiles(figures: NDArray[np.float64]) -> Interval:
    low, high = np.nanpercentile(figures, [2.5, 97.5])
    return Interval(float(low), float(high))
