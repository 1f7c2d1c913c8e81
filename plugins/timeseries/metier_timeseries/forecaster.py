"""`Forecaster`: what all loaders share, from the requests of a call to windows that a model predicts, and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from metier_contracts import (
    CallContext,
    Covariate,
    DetectAnomalies,
    Forecast,
    ForecastResult,
    InferenceError,
    MetierError,
    ModelCard,
    Request,
    Response,
)
from metier_contracts.authoring import attempt, unsupported
from numpy.typing import NDArray

from metier_timeseries.anomalies import Detection
from metier_timeseries.calendar import season_of, step_of, timestamps_after
from metier_timeseries.options import ForecasterOptions

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Window:
    """What a model is to continue.

    `values`: float64 [T], NaN where a value was not observed. `season`: the steps of a season, 1 for none.
    """

    values: Values
    horizon: int
    levels: Sequence[float]
    season: int = 1
    covariates: Mapping[str, Covariate] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prediction:
    """`mean`: float64 [H]. `quantiles`: float64 [H, Q], ascending in q, a column for each level of the window."""

    mean: Values
    quantiles: Values


class Forecaster(ABC):
    """A model that continues series: all series of all requests of a call are predicted together.

    Args:
        card: the model's card.
        options: the card's options.
    """

    device = "cpu"
    dtype = "float32"

    def __init__(self, card: ModelCard, options: ForecasterOptions) -> None:
        self.card = card
        self._options = options

    def infer(self, requests: Sequence[Request[Any]], context: CallContext) -> Sequence[Response | MetierError]:
        """Answer each request, in order; an item that fails is answered by its error.

        Raises:
            DeadlineExceeded, Cancelled: the caller no longer waits.
        """
        windows = [attempt(partial(self._window, request)) for request in requests]
        whole = [window for window in windows if isinstance(window, Window)]
        predictions = iter(self.predict(whole, context))
        found = [next(predictions) if isinstance(window, Window) else window for window in windows]
        return [
            attempt(partial(self._finish, request, result, context))
            for request, result in zip(requests, found, strict=True)
        ]

    @abstractmethod
    def predict(self, windows: Sequence[Window], context: CallContext) -> Sequence[Prediction | MetierError]:
        """Return what follows each window; one that fails is answered by its error."""

    def resident_bytes(self) -> int:
        """Return the bytes of the weights."""
        return 0

    def close(self) -> None:  # noqa: B027  (most have nothing to drop)
        """Drop the weights."""

    def _window(self, request: Request[Any]) -> Window | None:
        """Return the window of a forecast; None for a request that needs other windows."""
        if isinstance(request, DetectAnomalies):
            return None
        if not isinstance(request, Forecast):
            raise unsupported(request, self.card)
        season = self._options.season or season_of(step_of(request.series))
        return Window(request.series.values, request.horizon, request.quantiles, season, request.covariates)

    def _finish(self, request: Request[Any], result: Prediction | MetierError | None, context: CallContext) -> Response:
        if isinstance(result, MetierError):
            raise result
        if isinstance(request, Forecast) and result is not None:
            return _forecast(request, result)
        return self._detect(request, context)

    def _detect(self, request: Any, context: CallContext) -> Response:
        """Score each point of a series by the forecast that the model makes of it from the points before."""
        series = request.series
        season = self._options.season or season_of(step_of(series))
        detection = Detection(series.values, season, self._options.windows)

        def backtest(values: Values) -> Values:
            windows = [
                Window(values[:origin], detection.stride, detection.levels, season) for origin in detection.origins
            ]
            rows = [_successful(prediction).quantiles for prediction in self.predict(windows, context)]
            return np.concatenate(rows)

        return detection.run(backtest, request.sensitivity)


def checked(prediction: Prediction) -> Prediction:
    """Return the prediction; raise `InferenceError` where the model computed NaN or infinity."""
    if np.isfinite(prediction.mean).all() and np.isfinite(prediction.quantiles).all():
        return prediction
    raise InferenceError(
        "the model could not forecast the series", expected="finite numbers", got="NaN or infinity among them"
    )


def _successful(prediction: Prediction | MetierError) -> Prediction:
    if isinstance(prediction, MetierError):
        raise prediction
    return prediction


def _forecast(request: Forecast, prediction: Prediction) -> ForecastResult:
    return ForecastResult(
        mean=prediction.mean,
        quantiles=prediction.quantiles,
        quantile_levels=request.quantiles,
        timestamps=timestamps_after(request.series, step_of(request.series), request.horizon),
    )
