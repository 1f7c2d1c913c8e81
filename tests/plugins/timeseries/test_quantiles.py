"""Quantiles at other levels."""

import numpy as np
import pytest
from metier_timeseries.quantiles import at_levels
from scipy.stats import norm

LEVELS = tuple(round(0.1 * step, 1) for step in range(1, 10))


def test_given_levels_come_back_in_order() -> None:
    given = np.random.default_rng(0).normal(size=(3, 9))
    assert np.array_equal(at_levels(given, LEVELS, LEVELS), np.sort(given, axis=1))


def test_of_a_normal_distribution_every_level_is_right() -> None:
    given = norm(loc=[[5], [-3]], scale=[[2], [0.5]]).ppf(LEVELS)
    wanted = (0.01, 0.05, 0.1, 0.33, 0.5, 0.77, 0.9, 0.975)
    assert at_levels(given, LEVELS, wanted) == pytest.approx(norm(loc=[[5], [-3]], scale=[[2], [0.5]]).ppf(wanted))


def test_no_level_crosses_another() -> None:
    generator = np.random.default_rng(1)
    given = generator.normal(size=(200, 9)).round(1)  # with many ties
    wanted = np.unique(generator.uniform(0.001, 0.999, 50))
    assert (np.diff(at_levels(given, LEVELS, tuple(wanted)), axis=1) >= 0).all()


def test_no_level_gives_no_column() -> None:
    assert at_levels(np.zeros((4, 9)), LEVELS, ()).shape == (4, 0)
