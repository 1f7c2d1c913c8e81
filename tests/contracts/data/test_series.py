"""Series: from numpy and pandas, and back."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from metier_contracts import InputError, Series

NAN = float("nan")
VALUES = [1.0, 2.0, 4.0, 8.0]


def _pandas(index: Any, values: Any = VALUES, name: str | None = "load") -> "pd.Series[Any]":
    return pd.Series(values, index=index, name=name)


@pytest.mark.parametrize(
    ("index", "frequency", "first"),
    [
        (pd.date_range("2024-01-01", periods=4, freq="h"), "h", "2024-01-01T00:00"),
        (pd.date_range("2024-01-31", periods=4, freq="ME"), "ME", "2024-01-31T00:00"),
        (pd.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"]), "D", "2024-01-01T00:00"),
        (pd.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-04", "2024-01-09"]), None, "2024-01-01T00:00"),
        (pd.date_range("2024-01-01", periods=4, freq="D").as_unit("s"), "D", "2024-01-01T00:00"),
        (pd.date_range("2024-01-01", periods=4, freq="h", tz="Europe/Zurich"), "h", "2023-12-31T23:00"),
        (pd.date_range("2024-01-01", periods=4, freq="D", tz="UTC"), "D", "2024-01-01T00:00"),
        (pd.date_range("2024-03-30", periods=4, freq="D", tz="Europe/Zurich"), None, "2024-03-29T23:00"),
        (pd.period_range("2024-01", periods=4, freq="M"), "MS", "2024-01-01T00:00"),
        (pd.PeriodIndex(["2024-01", "2024-02", "2024-05", "2024-06"], freq="M"), None, "2024-01-01T00:00"),
    ],
    ids=["hours", "month ends", "inferred", "irregular", "seconds", "zone", "UTC", "days of 23 h", "periods", "gaps"],
)
def test_a_date_index_gives_timestamps_and_frequency(index: Any, frequency: str | None, first: str) -> None:
    series = Series.from_pandas(_pandas(index))
    assert series.values.tolist() == VALUES
    assert series.timestamps.dtype == np.dtype("datetime64[ns]")
    assert series.timestamps[0] == np.datetime64(first)
    assert series.frequency == frequency
    assert series.name == "load"


@pytest.mark.parametrize("index", [range(4), [3, 1, 2, 0], list("abcd"), [0.5, 1, 2, 3]])
def test_another_index_gives_no_timestamps(index: Any) -> None:
    series = Series.from_pandas(_pandas(index, name=None))
    assert (series.timestamps, series.frequency, series.name) == (None, None, None)


def test_two_points_have_no_inferred_frequency() -> None:
    assert Series.from_pandas(_pandas(pd.DatetimeIndex(["2024-01-01", "2024-01-02"]), [1, 2])).frequency is None


@pytest.mark.parametrize(
    "values",
    [
        [1, 2, 3, 4],
        np.array(VALUES, dtype="float32"),
        pd.array([1, 2, 3, 4], dtype="Int16"),
        [True, False, True, False],
    ],
    ids=["int", "float32", "Int16", "bool"],
)
def test_every_numeric_dtype_becomes_float64(values: Any) -> None:
    series = Series.from_pandas(pd.Series(values))
    assert series.values.dtype == np.float64
    assert series.values.tolist() == [float(value) for value in values]


@pytest.mark.parametrize("values", [[1, NAN], [1, None], pd.array([1, None], dtype="Int64"), pd.array([1, pd.NA])])
def test_missing_values_need_the_word(values: Any) -> None:
    assert np.isnan(Series.from_pandas(pd.Series(values), missing=True).values).tolist() == [False, True]
    with pytest.raises(InputError, match="missing=True"):
        Series.from_pandas(pd.Series(values))


@pytest.mark.parametrize(
    "values",
    [["a", "b"], [1j, 2], pd.date_range("2024", periods=2), pd.to_timedelta([1, 2]), [[1], [2]]],
    ids=["texts", "complex", "dates", "timedeltas", "lists"],
)
def test_what_is_no_number_is_refused(values: Any) -> None:
    with pytest.raises(InputError, match="does not hold numbers") as caught:
        Series.from_pandas(pd.Series(values, name="load"))
    assert "'load'" in caught.value.summary


@pytest.mark.parametrize(
    "given", [[1, 2], np.ones(3), pd.DataFrame({"load": [1]}), None], ids=["list", "array", "frame", "None"]
)
def test_from_pandas_takes_a_pandas_series_alone(given: Any) -> None:
    with pytest.raises(InputError, match=r'Series\.from_pandas\(frame\["load"\]\)'):
        Series.from_pandas(given)


@pytest.mark.parametrize(
    ("index", "words"),
    [
        (["2024-01-02", "2024-01-01", "2024-01-03", "2024-01-04"], "sort by time"),
        (["2024-01-01", "2024-01-01", "2024-01-03", "2024-01-04"], "duplicates"),
        (["2024-01-01", None, "2024-01-03", "2024-01-04"], "NaT at index 1"),
    ],
)
def test_an_index_out_of_order_is_refused(index: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Series.from_pandas(_pandas(pd.DatetimeIndex(index)))


def test_a_year_that_nanoseconds_cannot_hold_is_refused() -> None:
    index = pd.DatetimeIndex(np.array(["1500-01-01", "1501-01-01"], dtype="datetime64[s]"))
    with pytest.raises(InputError, match="range of datetime64"):
        Series.from_pandas(pd.Series([1.0, 2.0], index=index))


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
def test_what_pandas_lends_reaches_torch_without_a_warning(dtype: str) -> None:
    column = pd.Series(VALUES, index=pd.date_range("2024", periods=4), dtype=dtype)
    for series in (Series.from_pandas(column), Series(values=column, timestamps=column.index)):
        assert torch.from_numpy(series.values).tolist() == VALUES
        assert series.timestamps.flags.writeable


@pytest.mark.parametrize(
    "index",
    [
        pd.date_range("2024-01-01", periods=4, freq="h"),
        pd.date_range("2024-01-31", periods=4, freq="ME"),
        pd.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-04", "2024-01-09"]),
        pd.RangeIndex(4),
    ],
    ids=["hours", "month ends", "irregular", "range"],
)
def test_to_pandas_gives_the_same_back(index: Any) -> None:
    given = _pandas(index)
    again = Series.from_pandas(given).to_pandas()
    pd.testing.assert_series_equal(again, given, check_index_type=False, check_freq=True)


def test_days_of_a_zone_come_back_in_utc() -> None:
    index = pd.date_range("2024-03-30", periods=4, freq="D", tz="Europe/Zurich")
    again = Series.from_pandas(_pandas(index)).to_pandas()
    assert (again.index == index.tz_convert("UTC").tz_localize(None)).all()


@pytest.mark.parametrize("frequency", ["D", "NONSENSE"])
def test_a_frequency_that_does_not_fit_is_refused(frequency: str) -> None:
    times = np.array(["2024-01-01", "2024-01-03", "2024-01-04"], dtype="datetime64[ns]")
    with pytest.raises(InputError, match=frequency):
        Series(values=[1, 2, 3], timestamps=times, frequency=frequency).to_pandas()


def test_length() -> None:
    assert len(Series(values=VALUES)) == 4


def test_centuries_apart_are_in_order() -> None:
    times = np.array(["1700-01-01", "2200-01-01"], dtype="datetime64[ns]")
    assert len(Series(values=[1, 2], timestamps=times)) == 2


def test_resampling_takes_means_and_leaves_gaps() -> None:
    index = pd.DatetimeIndex(["2024-01-01 00:10", "2024-01-01 00:40", "2024-01-01 01:20", "2024-01-01 03:00"])
    series = Series.from_pandas(_pandas(index)).resample("h")
    assert (series.frequency, series.name, series.missing) == ("h", "load", True)
    assert np.array_equal(series.values, [1.5, 4.0, NAN, 8.0], equal_nan=True)
    assert series.timestamps is not None
    assert series.timestamps[-1] == np.datetime64("2024-01-01T03:00")


def test_resampling_without_gaps_says_so() -> None:
    series = Series.from_pandas(_pandas(pd.date_range("2024-01-01", periods=4, freq="12h"))).resample("D")
    assert (series.values.tolist(), series.missing) == ([1.5, 6.0], False)


@pytest.mark.parametrize(
    ("index", "frequency", "words"),
    [(pd.RangeIndex(4), "h", "without timestamps"), (pd.date_range("2024", periods=4), "fortnight", "fortnight")],
)
def test_what_cannot_be_resampled_is_refused(index: Any, frequency: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Series.from_pandas(_pandas(index)).resample(frequency)
