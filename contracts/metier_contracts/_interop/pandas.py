"""Between pandas and `Series` or `Graph`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from metier_contracts.data.graph import Graph
from metier_contracts.data.series import Series
from metier_contracts.errors import InputError


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
        timestamps = _naive(index).to_numpy().astype("datetime64[ns]")
        frequency = index.freqstr or (pd.infer_freq(index) if len(index) > 2 else None)
    return Series(
        values=series.to_numpy(dtype=np.float64, na_value=np.nan),
        timestamps=timestamps,
        frequency=frequency,
        name=None if series.name is None else str(series.name),
        missing=missing,
    )


def _naive(index: pd.DatetimeIndex) -> pd.DatetimeIndex:
    return index if index.tz is None else index.tz_convert("UTC").tz_localize(None)


def from_series(series: Series) -> pd.Series[Any]:
    """Return a `Series` as a pandas Series."""
    if series.timestamps is None:
        return pd.Series(series.values, name=series.name)
    index = pd.DatetimeIndex(series.timestamps)
    if series.frequency is not None:
        index = pd.DatetimeIndex(index, freq=series.frequency)
    return pd.Series(series.values, index=index, name=series.name)


def to_graph(edges: pd.DataFrame, *, source: str, target: str, edge_features: Sequence[str]) -> Graph:
    """Return an edge list as a `Graph`."""
    absent = [column for column in (source, target, *edge_features) if column not in edges.columns]
    if absent:
        raise InputError(
            f"the edge list has no column {absent[0]!r}",
            expected=f"columns {source!r} and {target!r}" + (f" and {list(edge_features)}" if edge_features else ""),
            got=f"columns {list(map(str, edges.columns))}",
            blame="the frame given to Graph.from_edges",
            hint="name the columns: Graph.from_edges(frame, source=..., target=...)",
        )
    ends = pd.concat([edges[source], edges[target]], ignore_index=True)
    codes, names = pd.factorize(ends)
    return Graph(
        edge_index=codes.reshape(2, -1).astype(np.int64),
        num_nodes=len(names),
        edge_attr=edges[list(edge_features)].to_numpy(dtype=np.float32) if edge_features else None,
        node_ids=tuple(map(str, names)),
    )
