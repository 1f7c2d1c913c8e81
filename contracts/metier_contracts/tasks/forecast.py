"""forecast: what comes next in a series?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from metier_contracts.arrays import ArraySpec, Timestamps
from metier_contracts.card import Capabilities
from metier_contracts.contract import Contract
from metier_contracts.data.series import Series
from metier_contracts.invariants import Violation, length
from metier_contracts.refusal import Refusal, shown
from metier_contracts.request import Request, Response
from metier_contracts.size import Size


class Covariate(Contract):
    """Another variable, known beside the series.

    `past`: float64 [T]. `future`: float64 [H] where it is known ahead (a price, a holiday), else None.
    """

    past: Annotated[NDArray[np.float64], ArraySpec("float64", "T", finite=True)]
    future: Annotated[NDArray[np.float64], ArraySpec("float64", "H", finite=True)] | None = None


class ForecastResult(Response):
    """H steps ahead.

    `mean`: float64 [H]. `quantiles`: float64 [H, Q], column q for `quantile_levels[q]`, ascending in q.
    `timestamps`: datetime64[ns] [H] where the series had them, else None.
    """

    mean: Annotated[NDArray[np.float64], ArraySpec("float64", "H", finite=True)]
    quantiles: Annotated[NDArray[np.float64], ArraySpec("float64", "H Q", finite=True)]
    quantile_levels: tuple[float, ...]
    timestamps: Timestamps | None = None


class Forecast(Request[ForecastResult]):
    """Forecast `horizon` steps of a series, with quantiles (levels in 0..1, ascending)."""

    task: ClassVar[str] = "forecast"

    series: Series
    horizon: int = Field(ge=1)
    quantiles: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = (0.1, 0.5, 0.9)
    covariates: Mapping[str, Covariate] = {}

    @model_validator(mode="after")
    def _check(self) -> Forecast:
        if list(self.quantiles) != sorted(set(self.quantiles)):
            raise Refusal("levels in ascending order, each once", shown(list(self.quantiles)), field="quantiles")
        for name, covariate in self.covariates.items():
            past, future = covariate.past, covariate.future
            if len(past) != len(self.series):
                raise Refusal(
                    f"as many as the series has points: {len(self.series)}",
                    str(len(past)),
                    field=f"covariates.{name}.past",
                )
            if future is not None and len(future) != self.horizon:
                raise Refusal(
                    f"as many as the horizon has steps: {self.horizon}",
                    str(len(future)),
                    field=f"covariates.{name}.future",
                )
        return self

    def needs(self) -> Mapping[str, Any]:
        """Return the capabilities this request needs."""
        flags = {
            "quantiles": bool(self.quantiles),
            "covariates": bool(self.covariates),
            "missing_values": self.series.missing,
        }
        return {name: True for name, needed in flags.items() if needed}

    def workload(self) -> Size:
        """Return the points of the series and its covariates, and those to forecast."""
        return Size(len(self.series) * (1 + len(self.covariates)) + self.horizon, "points")


def covers_horizon(request: Forecast, response: ForecastResult, capabilities: Capabilities) -> Violation | None:
    """There is a row for each step of the horizon and a column for each level asked for."""
    if response.quantile_levels != request.quantiles:
        return Violation("quantile_levels", str(request.quantiles), str(response.quantile_levels))
    shape = (request.horizon, len(request.quantiles))
    if response.quantiles.shape != shape:
        return Violation("quantiles", str(list(shape)), str(list(response.quantiles.shape)))
    return length("mean", len(response.mean), request.horizon, "step of the horizon")


def quantiles_ascend(request: Forecast, response: ForecastResult, capabilities: Capabilities) -> Violation | None:
    """Quantiles never cross."""
    falls = np.argwhere(np.diff(response.quantiles, axis=1) < 0)
    if len(falls) == 0:
        return None
    step, column = map(int, falls[0])
    pair = response.quantiles[step, column : column + 2].tolist()
    return Violation("quantiles", "ascending in q", f"{pair} at step {step}")


def timestamps_follow(request: Forecast, response: ForecastResult, capabilities: Capabilities) -> Violation | None:
    """Timestamps come after the series and ascend, and are there when the series has them."""
    known, future = request.series.timestamps, response.timestamps
    if (known is None) != (future is None):
        return Violation("timestamps", "given if and only if the series has them", "none" if future is None else "some")
    if known is None or future is None:
        return None
    if len(future) != request.horizon or (future <= np.concatenate([known[-1:], future[:-1]])).any():
        got = f"{len(future)} from {future[0]} to {future[-1]}" if len(future) else "none"
        return Violation("timestamps", f"{request.horizon} in ascending order, after {known[-1]}", got)
    return None


INVARIANTS = (covers_horizon, quantiles_ascend, timestamps_follow)
