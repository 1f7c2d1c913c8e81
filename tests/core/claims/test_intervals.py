"""Intervals on inputs of known outcome."""

from __future__ import annotations

import numpy as np
import pytest
from metier.claims.intervals import (
    Interval,
    bootstrap,
    confidence,
    over_rounds,
    paired_difference,
    ratio_of_sums,
    wilson,
)


def shares(right: int, count: int) -> np.ndarray:
    """The parts of `count` items, the first `right` of which are right."""
    return np.stack([np.arange(count) < right, np.ones(count)], axis=1).astype(float)


def test_wilson_as_published() -> None:
    # Newcombe 1998, table I: 81 of 263, and none of 20.
    assert wilson(81, 263).low == pytest.approx(0.2553, abs=1e-4)
    assert wilson(81, 263).high == pytest.approx(0.3662, abs=1e-4)
    assert (wilson(0, 20).low, round(wilson(0, 20).high, 4)) == (0.0, 0.1611)


def test_a_ratio_of_sums_weighs_items_by_their_denominators() -> None:
    assert ratio_of_sums(np.array([[1.0, 1.0], [1.0, 3.0]])) == 0.5


def test_the_bootstrap_of_a_share_is_near_wilson() -> None:
    drawn, exact = bootstrap(shares(300, 500)), wilson(300, 500)
    assert drawn.low == pytest.approx(exact.low, abs=0.01)
    assert drawn.high == pytest.approx(exact.high, abs=0.01)


def test_the_bootstrap_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    inside = [bootstrap(shares_of(rng.random(200) < 0.7)).holds(0.7) for _ in range(100)]
    assert 88 <= sum(inside) <= 100


def shares_of(right: np.ndarray) -> np.ndarray:
    return np.stack([right, np.ones(len(right))], axis=1).astype(float)


def test_pairing_tells_apart_what_unpaired_intervals_do_not() -> None:
    # The second is right wherever the first is, and on 12 items more.
    first, second = shares(312, 500), shares(300, 500)
    assert bootstrap(first).low < bootstrap(second).high
    gain = paired_difference(first, second)
    assert 0 < gain.low < 12 / 500 < gain.high


def test_a_way_does_not_differ_from_itself() -> None:
    assert paired_difference(shares(20, 50), shares(20, 50)) == Interval(0.0, 0.0)


def test_draws_in_which_nothing_can_be_found_are_left_out() -> None:
    interval = bootstrap(np.array([[0.0, 0.0], [2.0, 2.0]]))
    assert interval == Interval(1.0, 1.0)


def test_six_rounds_hold_the_median_more_surely_than_95_percent() -> None:
    assert confidence(5) < 0.95 < confidence(6)
    assert over_rounds([3.0, 1.0, 2.0]) == Interval(1.0, 3.0)
