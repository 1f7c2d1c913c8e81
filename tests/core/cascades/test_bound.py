"""The promise holds in exactly as many samples as it says: by enumeration, and by simulation at the boundary."""

from __future__ import annotations

from itertools import product
from math import comb

import numpy as np
import pytest
from metier.cascades.bound import about_needed, allowed_losses, fewest_examples, lowest_threshold

DRAWS = 2000


@pytest.mark.parametrize(("n", "max_loss", "confidence"), [(6, 0.4, 0.8), (12, 0.3, 0.9), (25, 0.15, 0.95)])
def test_no_broken_promise_is_missed_more_often_than_stated(n: int, max_loss: float, confidence: float) -> None:
    allowed = allowed_losses(n, max_loss, confidence)
    missed = [(x, y) for x, y in product(range(n + 1), repeat=2) if x + y <= n and x <= allowed[x + y]]
    assert missed
    for q in np.linspace(0, (1 - max_loss) / 2, 60):
        p = q + max_loss
        rest = max(0.0, 1 - p - q)
        chance = sum(comb(n, x) * comb(n - x, y) * p**x * q**y * rest ** (n - x - y) for x, y in missed)
        assert chance <= 1 - confidence + 1e-12


@pytest.mark.parametrize("n", [10, 299, 700])
def test_the_table_grants_one_loss_at_most_for_one_more_disagreement(n: int) -> None:
    assert set(np.diff(allowed_losses(n, 0.01, 0.95)).tolist()) <= {0, 1}


def test_more_loss_or_less_confidence_allows_more() -> None:
    strict = allowed_losses(400, 0.02, 0.95)
    assert (allowed_losses(400, 0.04, 0.95) >= strict).all()
    assert (allowed_losses(400, 0.02, 0.8) >= strict).all()


def test_the_fewest_examples_are_those_of_a_sample_without_disagreement() -> None:
    fewest = fewest_examples(0.01, 0.95)
    assert fewest == 299
    assert allowed_losses(fewest, 0.01, 0.95)[0] == 0
    assert allowed_losses(fewest - 1, 0.01, 0.95)[0] == -1


@pytest.mark.parametrize("gain", [0.0, 0.03, 0.1])
def test_a_threshold_that_breaks_the_promise_is_seldom_taken_and_a_naive_one_often(gain: float) -> None:
    """Below the score 0.5 the loss is just above the promise: losses come between 0.5 and 0.6 alone."""
    n, max_loss = 500, 0.03
    rng = np.random.default_rng(20261128)
    allowed = allowed_losses(n, max_loss, 0.95)
    broken, naive = 0, 0
    for _ in range(DRAWS):
        scores = rng.uniform(size=n)
        within = (scores >= 0.5) & (scores < 0.6)
        kinds = rng.choice([1, -1, 0], size=n, p=_chances(max_loss + 1e-9, gain, 0.1))
        differences = np.where(within, kinds, 0)
        threshold = lowest_threshold(scores, differences, allowed)
        broken += threshold is not None and threshold < 0.501
        naive += _lowest_by_the_mean(scores, differences, max_loss) < 0.501
    margin = 3 * (0.05 * 0.95 / DRAWS) ** 0.5
    assert broken / DRAWS <= 0.05 + margin
    assert naive / DRAWS > 0.2


def _chances(loss: float, gain: float, share: float) -> list[float]:
    """Return the chances of a loss, a gain and neither within a share of the texts, so that all have that net loss."""
    gain = min(gain, (share - loss) / 2)
    return [(loss + gain) / share, gain / share, 1 - (loss + 2 * gain) / share]


def _lowest_by_the_mean(scores: np.ndarray, differences: np.ndarray, max_loss: float) -> float:
    order = np.argsort(-scores)
    fine = np.cumsum(differences[order]) / len(scores) <= max_loss
    return float(scores[order][np.flatnonzero(fine)[-1]])


def test_the_sequence_ends_at_the_first_threshold_that_fails() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.6])
    assert lowest_threshold(scores, np.array([0, 1, -1, 0]), np.array([0, 0, 1, 1, 1])) == 0.9
    assert lowest_threshold(scores, np.array([0, -1, 1, 0]), np.array([0, 0, 1, 1, 1])) == 0.6
    assert lowest_threshold(scores, np.array([1, 0, 0, 0]), np.array([0, 0, 1, 1, 1])) is None


def test_equal_scores_are_kept_together_or_not_at_all() -> None:
    scores = np.array([0.9, 0.8, 0.8, 0.8])
    differences = np.array([0, 0, 1, 0])
    assert lowest_threshold(scores, differences, np.zeros(5, np.int64)) == 0.9


def test_how_many_are_needed() -> None:
    scores = np.linspace(1, 0, 400)
    assert about_needed(scores, np.zeros(400, np.int64), 0.01, 0.95) == 299
    first_wrong = np.eye(1, 400, dtype=np.int64)[0]
    needed = about_needed(scores, first_wrong, 0.01, 0.95)
    assert needed is not None
    assert needed > 400
    assert about_needed(scores, np.ones(400, np.int64), 0.001, 0.95) is None
