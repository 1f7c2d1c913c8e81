"""What the loaders of networks share: batches, and what comes out of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from metier_contracts import MetierError
from metier_contracts.authoring import attempt
from numpy.typing import NDArray

from metier_timeseries.forecaster import Prediction, Window, checked
from metier_timeseries.quantiles import at_levels

Values = NDArray[np.float64]


def batches(keys: Mapping[int, Hashable], most: int) -> Iterator[list[int]]:
    """Yield the places in batches of at most `most` with equal keys."""
    groups: dict[Hashable, list[int]] = {}
    for place, key in keys.items():
        groups.setdefault(key, []).append(place)
    for group in groups.values():
        for start in range(0, len(group), most):
            yield group[start : start + most]


def alone_where_it_fails(
    predict: Callable[[Sequence[Window]], Sequence[Prediction | MetierError]], batch: Sequence[Window]
) -> Sequence[Prediction | MetierError]:
    """Predict one batch; where it fails (memory above all), its halves, so that a series fails alone."""
    done = attempt(partial(predict, batch))
    if not isinstance(done, MetierError):
        return done
    if len(batch) == 1:
        return [done]
    middle = len(batch) // 2
    return [*alone_where_it_fails(predict, batch[:middle]), *alone_where_it_fails(predict, batch[middle:])]


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
