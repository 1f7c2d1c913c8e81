"""Forecast and detect anomalies by the last value and the spread of the steps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from statistics import NormalDist
from typing import Any

import numpy as np
from metier_contracts import (
    Anomalies,
    CallContext,
    DetectAnomalies,
    Forecast,
    ForecastResult,
    MetierError,
    ModelCard,
    Placement,
    Request,
    Response,
)
from metier_contracts.authoring import attempt, unsupported


class LastValue:
    def __init__(self, card: ModelCard) -> None:
        self._card = card

    def infer(self, requests: Sequence[Request[Any]], context: CallContext) -> Sequence[Response | MetierError]:
        return [attempt(partial(self._answer, request, context)) for request in requests]

    def _answer(self, request: Request[Any], context: CallContext) -> Response:
        context.check()
        if isinstance(request, Forecast) and request.series.timestamps is None:
            return self._forecast(request)
        if isinstance(request, DetectAnomalies):
            return self._detect(request)
        raise unsupported(request, self._card)

    def _forecast(self, request: Forecast) -> Response:
        values = request.series.values
        mean = np.full(request.horizon, values[-1])
        spread = float(np.diff(values).std()) if len(values) > 1 else 0.0
        widths = np.array([NormalDist().inv_cdf(level) for level in request.quantiles])
        reach = np.sqrt(np.arange(1, request.horizon + 1))[:, None]
        return ForecastResult(
            mean=mean, quantiles=mean[:, None] + spread * reach * widths, quantile_levels=request.quantiles
        )

    def _detect(self, request: DetectAnomalies) -> Response:
        values = request.series.values
        scores = np.abs(values - np.median(values)) / (values.std() or 1.0)
        return Anomalies(scores=scores.astype(np.float32), flags=scores > 3.0)

    def resident_bytes(self) -> int:
        return 0

    def close(self) -> None:
        pass


def load(card: ModelCard, placement: Placement) -> LastValue:
    return LastValue(card)
