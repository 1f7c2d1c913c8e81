"""What a card's `options` may say, for each loader."""

from __future__ import annotations

from typing import Literal

from metier_contracts.authoring import LoaderOptions
from pydantic import Field

Method = Literal["seasonal-naive", "theta", "optimized-theta", "auto-ets", "auto-ces", "auto-arima"]


class ForecasterOptions(LoaderOptions):
    """Options of every loader.

    `season`: the steps of a season, None to derive it from the series' frequency. `windows`: about
    how many forecasts detect-anomalies makes of one series; more of them look fewer steps ahead.
    """

    season: int | None = Field(default=None, ge=1)
    windows: int = Field(default=128, ge=1)


class ClassicOptions(ForecasterOptions):
    """Options of `classic`.

    `method`: the model of statsforecast. `longest_season`: a longer season is left out of the model, since it would
    take minutes to fit or is not allowed at all; None for no such limit.
    """

    method: Method
    longest_season: int | None = Field(default=None, ge=1)


class NetworkOptions(ForecasterOptions):
    """Options of the loaders of networks. `batch_series`: how many series pass the network together."""

    batch_series: int = Field(default=64, ge=1)


class ChronosOptions(NetworkOptions):
    """Options of `chronos`. `samples`: the paths that a sampling checkpoint draws; None for the checkpoint's own."""

    samples: int | None = Field(default=None, ge=2)


class AutoOptions(NetworkOptions):
    """Options of `auto`.

    `candidates`: the methods that are tried besides the network in the card's folder. `folds`: the most backtests of
    each on a series. `power`: the weight of a candidate is its backtest error to the power of -`power`; 0 is their
    plain mean, and a high one picks the best.
    """

    candidates: tuple[Method, ...] = ("seasonal-naive", "theta", "optimized-theta", "auto-ets", "auto-ces")
    folds: int = Field(default=1, ge=1)
    power: float = Field(default=1.0, ge=0)
