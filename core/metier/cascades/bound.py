"""The promise of a cascade: that it loses at most so much accuracy against its strong model, tested exactly.

For an input that the cheap model keeps, the difference of the two is a loss (the strong one alone is right), a gain
(the cheap one alone is right) or nothing. The loss of accuracy is p - q, where p and q are the chances of a loss and of
a gain over all inputs. The hypothesis p - q >= max_loss is tested by the counts of both in the labelled sample, which
are multinomial: an unconditional exact test of the difference of paired proportions, as of Hsueh, Liu and Chen,
Biometrics 57 (2001), with a supremum over the nuisance parameter q that is bounded from above, cell by cell.

Thresholds are tested from the highest down until the first that fails (fixed-sequence testing, as in Angelopoulos,
Bates, Candes, Jordan and Lei, "Learn then Test", arXiv:2110.01052). The sequence holds every real number, and between
two scores of the sample no count changes, so that no grid has to be chosen and no labels are set aside for it: a
threshold that breaks the promise is taken only if the test of the highest such threshold fails to see it, and that one
is a fixed number.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]

_CELL = 0.03  # of the nuisance parameter, in standard deviations of the difference that is tested
_STEP = 1.01
_FAR = 8.0  # standard deviations beyond which every outcome counts as one that is not seen
_ROUNDING = 1e-9


def allowed_losses(examples: int, max_loss: float, confidence: float) -> Counts:
    """Return how many of m disagreements may be losses, for m = 0..examples: int64 [examples + 1], -1 for none at all.

    If more than `max_loss` is lost in truth, the losses of a sample stay within that with probability 1 - `confidence`
    at most. The table allows what the exact binomial test of the losses alone allows, and beyond that as many as a
    standardised difference permits, whose critical value is the smallest that keeps the level.
    """
    risk = (1 - confidence) * (1 - _ROUNDING)
    log_factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, examples + 1)))])
    fewest = _binomial_allows(examples, max_loss, risk * (1 - _ROUNDING), log_factorials)
    critical = max(NormalDist().inv_cdf(confidence), 0.1)
    while True:
        allowed = np.maximum(_by_difference(examples, max_loss, critical), fewest)
        if all(chance <= risk for chance in _chances(allowed, max_loss, log_factorials)):
            return allowed
        critical *= _STEP


def _by_difference(examples: int, max_loss: float, critical: float) -> Counts:
    """Return the most losses among m disagreements for which the standardised difference reaches the critical value."""
    m, expected = np.arange(examples + 1), examples * max_loss
    most = np.floor((expected + m - critical * np.sqrt(np.maximum(m, expected))) / 2).astype(np.int64)
    return np.maximum(np.maximum.accumulate(most), -1)


def _binomial_allows(examples: int, max_loss: float, risk: float, log_factorials: NDArray[np.float64]) -> int:
    """Return the most losses that an exact binomial test of them allows (Clopper and Pearson, 1934), -1 for none."""
    k = np.arange(examples + 1)
    within = np.cumsum(_binomial(k, np.full_like(k, examples), max_loss, log_factorials)) <= risk
    return int(within.sum()) - 1


def _chances(allowed: Counts, max_loss: float, log_factorials: NDArray[np.float64]) -> Iterator[float]:
    """Yield bounds, one for each cell of the nuisance parameter, of the chance that a broken promise is not seen.

    The set of outcomes within `allowed` is closed under a loss turned into an agreement and under an agreement turned
    into a gain. Its chance therefore falls with p and rises with q: within a cell q0 <= q <= q1, where p >= q +
    max_loss, it is at most that at p = q0 + max_loss and q = q1.
    """
    n = len(allowed) - 1
    roots = np.linspace(math.sqrt(max_loss), 1.0, 2 + int(math.sqrt(n) / _CELL))
    edges = (roots**2 - max_loss) / 2  # a step of the root is the same part of a standard deviation everywhere
    for q0, q1 in pairwise(edges.tolist()):
        loss = q0 + max_loss
        yield _chance(allowed, loss, min(q1, 1 - loss), log_factorials)


def _chance(allowed: Counts, p: float, q: float, log_factorials: NDArray[np.float64]) -> float:
    """Return the chance that the losses are within `allowed`, where a loss has the chance p and a gain q."""
    n, losing = len(allowed) - 1, p / (p + q)
    most = min(n, int(n * (p + q) + _FAR * math.sqrt(n * (p + q)) + _FAR**2))
    allowed, m = allowed[: most + 1], np.arange(most + 1)
    disagreements = _binomial(m, np.full_like(m, n), p + q, log_factorials)
    # P(Bin(m, r) <= a_m) from that of m - 1: one more disagreement may overstep, and the table may grant one more.
    overstep = _binomial(allowed[:-1], m[:-1], losing, log_factorials)
    granted = np.where(np.diff(allowed) > 0, _binomial(allowed[1:], m[1:], losing, log_factorials), 0.0)
    within = np.cumsum(np.concatenate([[float(allowed[0] >= 0)], granted - losing * overstep]))
    return float(disagreements @ within) + max(0.0, 1.0 - float(disagreements.sum()))


def _binomial(k: Counts, n: Counts, chance: float, log_factorials: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return P(Bin(n, chance) = k), 0 where k is not in 0..n."""
    possible = (k >= 0) & (k <= n)
    if chance >= 1:
        return np.where(k == n, 1.0, 0.0)
    k = np.clip(k, 0, n)
    logarithm = log_factorials[n] - log_factorials[k] - log_factorials[n - k]
    logarithm = logarithm + k * math.log(chance) + (n - k) * math.log1p(-chance)
    return np.where(possible, np.exp(logarithm), 0.0)


def lowest_threshold(scores: NDArray[np.float64], differences: Counts, allowed: Counts) -> float | None:
    """Return the lowest score to keep an answer at, None where not even the highest can be kept.

    Args:
        scores: of the cheap model, float64 [N].
        differences: 1 for a loss, -1 for a gain, 0 where both are right or both wrong, int64 [N].
        allowed: of `allowed_losses(N, ...)`.
    """
    values, losses, disagreements = _running(scores, differences)
    passes = losses <= allowed[disagreements]
    count = len(passes) if passes.all() else int(passes.argmin())
    return float(values[count - 1]) if count else None


def _running(scores: NDArray[np.float64], differences: Counts) -> tuple[NDArray[np.float64], Counts, Counts]:
    """Return the distinct scores from the highest down, and the losses and disagreements from there up."""
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last = np.flatnonzero(np.append(np.diff(ordered) != 0, True))
    running = [np.cumsum(kind[order], dtype=np.int64)[last] for kind in (differences > 0, differences != 0)]
    return ordered[last], running[0], running[1]


def fewest_examples(max_loss: float, confidence: float) -> int:
    """Return how many examples without any disagreement it takes to prove that no more is lost than `max_loss`."""
    return math.ceil(math.log(1 - confidence) / math.log1p(-max_loss))


def about_needed(scores: NDArray[np.float64], differences: Counts, max_loss: float, confidence: float) -> int | None:
    """Return how many examples it would about take, by the rates of this sample; None where more are no help."""
    _, losses, disagreements = _running(scores, differences)
    room = max_loss - (2 * losses - disagreements) / len(scores)
    spread = np.maximum(disagreements / len(scores), max_loss)
    if not (room > 0).any():
        return None
    by_rates = NormalDist().inv_cdf(confidence) ** 2 * float((spread[room > 0] / room[room > 0] ** 2).min())
    return max(fewest_examples(max_loss, confidence), math.ceil(by_rates))
