"""From the quantiles that a model gives to those that were asked for."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

_NORMAL = NormalDist()


def normal_score(level: float) -> float:
    """Return the place of a level on the scale of the normal distribution: 0 for 0.5, 1.28 for 0.9."""
    return _NORMAL.inv_cdf(level)


def at_levels(given: Values, levels: Sequence[float], wanted: Sequence[float]) -> Values:
    """Return quantiles [H, Q] at `wanted`, from `given` [H, K] at `levels`, which ascend and hold 0.5.

    Between two levels, and beyond the outermost, quantiles lie as those of a normal distribution would: linear in the
    normal score. A level that the model gives is returned as it is.
    """
    ordered = np.sort(given, axis=1)
    if tuple(wanted) == tuple(levels):
        return ordered
    scores = np.array([normal_score(level) for level in levels])
    middle = int(np.argmin(np.abs(scores)))
    columns = [_at(ordered, scores, middle, normal_score(level)) for level in wanted]
    # Ties may come out of the arithmetic a rounding apart.
    return np.maximum.accumulate(np.stack(columns, axis=1), axis=1) if columns else np.zeros((len(given), 0))


def _at(ordered: Values, scores: Values, middle: int, score: float) -> Values:
    edge = 0 if score < scores[0] else -1
    if scores[0] <= score <= scores[-1]:
        right = int(np.clip(np.searchsorted(scores, score), 1, len(scores) - 1))
        share = (score - scores[right - 1]) / (scores[right] - scores[right - 1])
        return np.asarray((1 - share) * ordered[:, right - 1] + share * ordered[:, right])
    centre = ordered[:, middle]
    return np.asarray(centre + (ordered[:, edge] - centre) * (score / scores[edge]))
