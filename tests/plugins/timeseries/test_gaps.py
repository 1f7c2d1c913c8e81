"""Gaps are bridged."""

import numpy as np
import pytest
from metier_timeseries.gaps import filled

NAN = np.nan


def test_whole_series_stay_as_they_are() -> None:
    values = np.arange(5.0)
    assert filled(values, 1) is values


@pytest.mark.parametrize(
    ("values", "season", "expected"),
    [
        ([1, NAN, NAN, 4], 1, [1, 2, 3, 4]),
        ([NAN, 2, 3, NAN], 1, [2, 2, 3, 3]),
        ([0, 10, 1, NAN, 2, 12], 2, [0, 10, 1, 11, 2, 12]),
        ([0, NAN, 1, NAN, 2, NAN], 2, [0, 0.5, 1, 1.5, 2, 2]),
    ],
    ids=["line", "ends", "season", "a time never seen"],
)
def test_gaps_are_bridged(values: list[float], season: int, expected: list[float]) -> None:
    given = np.array(values)
    assert filled(given, season).tolist() == expected
    assert np.isnan(given).any()
