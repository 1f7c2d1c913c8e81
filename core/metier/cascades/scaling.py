"""Temperature scaling (Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", ICML 2017)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]

_LEAST = 1e-9
_BINS = 15
_WIDEST = 20.0
_ROUNDS = 60


def fitted_temperature(scores: Scores, truth: NDArray[np.int64]) -> float:
    """Return the temperature in 1/20..20 at which the scores float64 [N, K] tell the true labels int64 [N] best.

    The mean log-likelihood is concave in 1 / temperature, so that a golden-section search finds its maximum.
    """
    logits = np.log(np.maximum(scores, _LEAST))
    low, high = 1 / _WIDEST, _WIDEST
    golden = (5**0.5 - 1) / 2
    for _ in range(_ROUNDS):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if _log_likelihood(logits * left, truth) >= _log_likelihood(logits * right, truth):
            high = right
        else:
            low = left
    return 2 / (low + high)


def _log_likelihood(logits: Scores, truth: NDArray[np.int64]) -> float:
    shifted = logits - logits.max(axis=1, keepdims=True)
    true = shifted[np.arange(len(truth)), truth]
    return float((true - np.log(np.exp(shifted).sum(axis=1))).mean())


def scaled(scores: Scores, temperature: float) -> Scores:
    """Return scores float64 [N, K] at a temperature: of each row the order stays, and the sum is 1."""
    powers: Scores = np.maximum(scores, _LEAST) ** (1 / temperature)
    made: Scores = powers / powers.sum(axis=1, keepdims=True)
    return made


def scaled_scores(scores: Mapping[str, float], temperature: float) -> dict[str, float]:
    """Return the scores of one answer at a temperature."""
    row = scaled(np.array([list(scores.values())], dtype=np.float64), temperature)[0]
    return dict(zip(scores, row.tolist(), strict=True))


def calibration_error(scores: Scores, truth: NDArray[np.int64]) -> float:
    """Return the expected calibration error of the best scores: the mean gap to the accuracy, over 15 equal bins."""
    confidence, right = scores.max(axis=1), scores.argmax(axis=1) == truth
    bins = np.minimum((confidence * _BINS).astype(np.int64), _BINS - 1)
    gaps = np.bincount(bins, weights=confidence - right, minlength=_BINS)
    return float(np.abs(gaps).sum() / len(truth))


def calibrated_error(scores: Scores, truth: NDArray[np.int64]) -> float:
    """Return the expected calibration error of scaled scores, each half at the temperature that the other one gives."""
    halves = np.random.default_rng(0).permutation(len(truth)) % 2
    made = np.empty_like(scores)
    for half in (0, 1):
        here, there = halves == half, halves != half
        made[here] = scaled(scores[here], fitted_temperature(scores[there], truth[there]) if there.any() else 1.0)
    return calibration_error(made, truth)
