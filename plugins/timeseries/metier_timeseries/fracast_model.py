"""Loader `fracast`: Fracast-0, a convolutional forecaster of 85,001 parameters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from fracast import FracastModel
from metier_contracts import CallContext, InputError, MetierError, ModelCard, Placement
from metier_contracts.authoring import attempt, module_bytes, read_options

from metier_timeseries.checkpoint import weights_folder
from metier_timeseries.forecaster import Forecaster, Prediction, Window
from metier_timeseries.network import batches, from_quantiles, padded
from metier_timeseries.options import NetworkOptions

_FEWEST_POINTS = 8


class Fracast(Forecaster):
    """Fracast-0. It reads the last points that its context holds, finds the season itself, and skips NaN."""

    _options: NetworkOptions

    def __init__(self, card: ModelCard, options: NetworkOptions, model: Any) -> None:
        super().__init__(card, options)
        self._model = model
        self.device = str(model.device)

    def predict(self, windows: Sequence[Window], context: CallContext) -> Sequence[Prediction | MetierError]:
        """Return what follows each window, `batch_series` of like horizon in one pass."""
        answers: dict[int, Prediction | MetierError] = {}
        horizons: dict[int, int] = {}
        for place, window in enumerate(windows):
            refused = attempt(partial(self._refuse_short, window))
            if isinstance(refused, MetierError):
                answers[place] = refused
            else:
                horizons[place] = window.horizon
        for places in batches(horizons, self._options.batch_series):
            context.check()
            rows = padded([windows[place].values[-self._model.context_length :] for place in places])
            given = self._model.forecast_batch(rows, horizon=windows[places[0]].horizon)
            for place, quantiles in zip(places, given, strict=True):
                answers[place] = attempt(partial(from_quantiles, quantiles, self._model.quantiles, windows[place]))
        return [answers[place] for place in range(len(windows))]

    def _refuse_short(self, window: Window) -> None:
        observed = int(np.isfinite(window.values[-self._model.context_length :]).sum())
        if observed < _FEWEST_POINTS:
            raise InputError(
                f"the series is too short for {self.card.id}",
                expected=f"{_FEWEST_POINTS} observed values or more among the last {self._model.context_length}",
                got=str(observed),
                blame="series of the request",
            )

    def resident_bytes(self) -> int:
        """Return the bytes of parameters and buffers."""
        return 0 if self._model is None else module_bytes(self._model.core, self._model.head)

    def close(self) -> None:
        """Drop the tensors."""
        self._model = None


def load(card: ModelCard, placement: Placement) -> Fracast:
    """Return the model in `placement.directory`, in float32."""
    folder = weights_folder(card, placement)
    model = FracastModel.from_pretrained(folder, weights="fp32", device=placement.device)
    return Fracast(card, read_options(NetworkOptions, card), model)
