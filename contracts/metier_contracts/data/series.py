"""`Series`: a time series of one variable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from metier_contracts.arrays import ArraySpec, Timestamps
from metier_contracts.contract import Contract
from metier_contracts.refusal import Refusal

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
            raise Refusal("at least one value", "none", field="values")
        infinite, unknown = np.isinf(self.values), np.isnan(self.values)
        if infinite.any():
            raise Refusal("finite values", self._first(infinite), field="values")
        if not self.missing and unknown.any():
            raise Refusal(
                "no NaN", self._first(unknown), field="values", hint="fill it, or say missing=True where NaN is a gap"
            )
        if unknown.all():
            raise Refusal("at least one observed value", "only NaN", field="values")
        if self.timestamps is not None:
            self._check_timestamps(self.timestamps)
        return self

    def _first(self, bad: NDArray[np.bool_]) -> str:
        return f"{self.values[bad][0]} at index {int(np.flatnonzero(bad)[0])} ({int(bad.sum())} in all)"

    def _check_timestamps(self, timestamps: NDArray[np.datetime64]) -> None:
        if timestamps.shape != self.values.shape:
            raise Refusal(f"as many as there are values: {self.values.size}", str(timestamps.size), field="timestamps")
        if np.isnat(timestamps).any():
            at = int(np.flatnonzero(np.isnat(timestamps))[0])
            raise Refusal("a date for each value", f"NaT at index {at}", field="timestamps")
        falls = np.flatnonzero(timestamps[1:] <= timestamps[:-1])  # a difference would overflow past 292 years
        if len(falls):
            at = int(falls[0]) + 1
            raise Refusal(
                "strictly ascending timestamps",
                f"{timestamps[at]} at index {at} after {timestamps[at - 1]}",
                field="timestamps",
                hint="sort by time and drop duplicates",
            )

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

    def resample(self, frequency: str) -> Series:
        """Return the series with a point for each step of `frequency`, the mean of the values that fall into it.

        A step without a value holds NaN, and the series says `missing`.

        Raises:
            InputError: the series has no timestamps, or pandas knows no such frequency.
        """
        from metier_contracts._interop import pandas

        return pandas.resampled(self, frequency)
