"""`Series`: a time series of one variable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from metier_contracts.arrays import ArraySpec, Timestamps
from metier_contracts.contract import Contract

if TYPE_CHECKING:
    import pandas as pd


class Series(Contract):
    """A time series.

    `values`: float64 [T], oldest first. `timestamps`: datetime64[ns] [T], strictly ascending, or None.
    `frequency`: the pandas alias of the step ("h", "D", "MS", ...), or None where unknown.
    `missing`: whether NaN stands for a value that was not observed; without it a NaN is an error.
    """

    values: Annotated[NDArray[np.float64], ArraySpec("float64", "T")]
    timestamps: Timestamps | None = None
    frequency: str | None = None
    name: str | None = None
    missing: bool = False

    @model_validator(mode="after")
    def _check(self) -> Series:
        if self.values.size == 0:
            raise ValueError("at least one value")
        if np.isinf(self.values).any():
            raise ValueError(f"finite values, got {self._first(np.isinf(self.values))}")
        if not self.missing and np.isnan(self.values).any():
            raise ValueError(f"no NaN unless missing=True, got {self._first(np.isnan(self.values))}")
        if self.missing and np.isnan(self.values).all():
            raise ValueError("at least one observed value, got only NaN")
        if self.timestamps is not None:
            self._check_timestamps(self.timestamps)
        return self

    def _first(self, bad: NDArray[np.bool_]) -> str:
        return f"{self.values[bad][0]} at index {int(np.flatnonzero(bad)[0])} ({int(bad.sum())} in all)"

    def _check_timestamps(self, timestamps: NDArray[np.datetime64]) -> None:
        if timestamps.shape != self.values.shape:
            raise ValueError(f"one timestamp a value, got {timestamps.size} for {self.values.size}")
        if np.isnat(timestamps).any():
            raise ValueError("timestamps without NaT")
        steps = np.diff(timestamps)
        if (steps <= np.timedelta64(0, "ns")).any():
            at = int(np.flatnonzero(steps <= np.timedelta64(0, "ns"))[0]) + 1
            raise ValueError(f"timestamps strictly ascending, got {timestamps[at]} at index {at}; sort and deduplicate")

    def __len__(self) -> int:
        return int(self.values.size)

    @classmethod
    def from_pandas(cls, series: pd.Series[Any], *, missing: bool = False) -> Series:
        """Return a pandas Series; a DatetimeIndex or PeriodIndex gives the timestamps and the frequency."""
        from metier_contracts._interop import pandas

        return pandas.to_series(series, missing=missing)

    def to_pandas(self) -> pd.Series[Any]:
        """Return the series as a pandas Series, indexed by its timestamps where it has them."""
        from metier_contracts._interop import pandas

        return pandas.from_series(self)
