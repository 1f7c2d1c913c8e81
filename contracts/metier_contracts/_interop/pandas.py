"""Between pandas and `Series` or `Graph`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from metier_contracts.data.graph import Graph
from metier_contracts.data.series import Series
from metier_contracts.errors import InputError
from metier_contracts.refusal import shown, shown_error


def to_series(series: pd.Series[Any], *, missing: bool) -> Series:
    """Return a pandas Series as a `Series`."""
    if not isinstance(series, pd.Series):
        raise InputError(
            "Series.from_pandas takes one column",
            expected="a pandas Series",
            got=type(series).__name__,
            blame="the argument of Series.from_pandas",
            hint='pick a column: Series.from_pandas(frame["load"])',
        )
    index = series.index.to_timestamp() if isinstance(series.index, pd.PeriodIndex) else series.index
    timestamps, frequency = None, None
    if isinstance(index, pd.DatetimeIndex):
        # A local day of 23 or 25 hours is no step of a day in UTC, so the frequency is that of the UTC index.
        index = _naive(index)
        timestamps = index.to_numpy()
        frequency = index.freqstr or (pd.DatetimeIndex(index, freq="infer").freqstr if len(index) > 2 else None)
    return Series(
        values=_numbers(series, "the values of the pandas Series"),
        timestamps=timestamps,
        frequency=frequency,
        name=None if series.name is None else str(series.name),
        missing=missing,
    )


def _numbers(column: pd.Series[Any], blame: str) -> NDArray[np.float64]:
    try:
        if column.dtype.kind in "cmM":
            raise TypeError(f"dtype {column.dtype}")
        values: NDArray[np.float64] = column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"the column {column.name!r} does not hold numbers",
            expected="a numeric dtype",
            got=shown_error(error),
            blame=blame,
            hint="pd.to_numeric(column) converts texts that are numbers",
        ) from None
    return values if values.flags.writeable else values.copy()  # pandas lends its own memory to read only


def _columns(frame: pd.DataFrame, names: Sequence[str]) -> NDArray[np.float32]:
    columns = [_numbers(frame[name], "the frame given to Graph.from_edges") for name in names]
    return np.stack(columns, axis=1).astype(np.float32)


def _naive(index: pd.DatetimeIndex) -> pd.DatetimeIndex:
    return index if index.tz is None else index.tz_convert("UTC").tz_localize(None)


def from_series(series: Series) -> pd.Series[Any]:
    """Return a `Series` as a pandas Series."""
    if series.timestamps is None:
        return pd.Series(series.values, name=series.name)
    index = pd.DatetimeIndex(series.timestamps)
    if series.frequency is not None:
        try:
            index = pd.DatetimeIndex(index, freq=series.frequency)
        except ValueError as error:
            raise InputError(
                f"the timestamps do not step by the frequency {series.frequency!r}",
                expected="a pandas frequency that fits the timestamps, or None",
                got=shown_error(error),
                blame="Series.frequency",
                hint="correct it, or leave it out",
            ) from None
    return pd.Series(series.values, index=index, name=series.name)


def resampled(series: Series, frequency: str) -> Series:
    """Return a `Series` with one value for each step of `frequency`."""
    if series.timestamps is None:
        raise InputError(
            "a series without timestamps cannot be resampled",
            expected="timestamps",
            got="None",
            blame="Series.timestamps",
        )
    try:
        means = pd.Series(series.values, index=pd.DatetimeIndex(series.timestamps)).resample(frequency).mean()
    except (ValueError, TypeError) as error:
        raise InputError(
            f"the series cannot be resampled to {frequency!r}",
            expected="a frequency of pandas, such as h, D, W or MS",
            got=shown_error(error),
            blame="the argument of Series.resample",
        ) from None
    index = pd.DatetimeIndex(means.index)
    return Series(
        values=_numbers(means, "the resampled values"),
        timestamps=index.to_numpy(),
        frequency=index.freqstr,
        name=series.name,
        missing=series.missing or bool(means.isna().any()),
    )


def to_graph(edges: pd.DataFrame, *, source: str, target: str, edge_features: Sequence[str]) -> Graph:
    """Return an edge list as a `Graph`."""
    given = list(getattr(edges, "columns", ()))
    absent = [column for column in (source, target, *edge_features) if column not in given]
    if absent:
        raise InputError(
            f"the edge list has no column {absent[0]!r}",
            expected=f"columns {source!r} and {target!r}" + (f" and {list(edge_features)}" if edge_features else ""),
            got=f"columns {shown(given)}" if given else f"a {type(edges).__name__}",
            blame="the frame given to Graph.from_edges",
            hint="name the columns: Graph.from_edges(frame, source=..., target=...)",
        )
    ends = pd.concat([edges[source], edges[target]], ignore_index=True)
    if ends.isna().any():
        raise InputError(
            "an edge lacks an end",
            expected=f"a node in {source!r} and {target!r} of each row",
            got=f"no value in row {int(np.flatnonzero(ends.isna())[0]) % len(edges)}",
            blame="the frame given to Graph.from_edges",
            hint=f"edges.dropna(subset=[{source!r}, {target!r}])",
        )
    codes, names = pd.factorize(ends)
    return Graph(
        edge_index=codes.reshape(2, -1).astype(np.int64),
        num_nodes=len(names),
        edge_attr=_columns(edges, edge_features) if edge_features else None,
        node_ids=tuple(map(str, names)),
    )
