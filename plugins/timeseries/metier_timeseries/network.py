"""What the loaders of networks share: batches, and what comes out of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metier_timeseries.forecaster import Prediction, Window, checked
from metier_timeseries.quantiles import at_levels

Values = NDArray[np.float64]


def by_horizon(windows: Sequence[Window], places: Sequence[int], most: int) -> Iterator[list[int]]:
    """Yield the places in batches of at most `most` windows with one horizon and the same covariates."""
    groups: dict[object, list[int]] = {}
    for place in places:
        window = windows[place]
        schema = tuple((name, covariate.future is None) for name, covariate in sorted(window.covariates.items()))
        groups.setdefault((window.horizon, schema), []).append(place)
    for group in groups.values():
        for start in range(0, len(group), most):
            yield group[start : start + most]


def padded(rows: Sequence[Values]) -> NDArray[np.float32]:
    """Return float32 [B, T] of rows that end together, with NaN before those that are shorter."""
    table = np.full((len(rows), max(map(len, rows))), np.nan, dtype=np.float32)
    for line, row in zip(table, rows, strict=True):
        line[len(table[0]) - len(row) :] = row
    return table


def from_quantiles(given: NDArray[Any], levels: Sequence[float], window: Window) -> Prediction:
    """Return the prediction of a network that gives quantiles [H, K] alone: its median stands in for the mean."""
    quantiles = np.asarray(given, dtype=np.float64)
    median = at_levels(quantiles, levels, (0.5,))[:, 0]
    return checked(Prediction(median, at_levels(quantiles, levels, window.levels)))


def module_bytes(*modules: Any) -> int:
    """Return the bytes of the storages behind parameters and buffers, each counted once."""
    tensors = [tensor for module in modules for tensor in (*module.parameters(), *module.buffers())]
    storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors}
    return sum(storages.values())
