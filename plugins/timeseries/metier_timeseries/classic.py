"""Loader `classic`: the statistical models of statsforecast, which are fitted to each series when it is asked for."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from metier_contracts import CallContext, InputError, MetierError, ModelCard, Placement
from metier_contracts.authoring import attempt, read_options
from numpy.typing import NDArray
from statsforecast.models import AutoARIMA, AutoCES, AutoETS, DynamicOptimizedTheta, SeasonalNaive, Theta

from metier_timeseries.forecaster import Forecaster, Prediction, Window, checked
from metier_timeseries.gaps import filled
from metier_timeseries.options import ClassicOptions, Method

Values = NDArray[np.float64]

_MODELS: Mapping[Method, Callable[..., Any]] = {
    "seasonal-naive": SeasonalNaive,
    "theta": Theta,
    "optimized-theta": DynamicOptimizedTheta,
    "auto-ets": AutoETS,
    "auto-ces": AutoCES,
    "auto-arima": AutoARIMA,
}
_FEWEST_POINTS = 8


class Classic(Forecaster):
    """A model of statsforecast. A season of which the series holds less than two is left out of the model."""

    dtype = "float64"
    _options: ClassicOptions

    def predict(self, windows: Sequence[Window], context: CallContext) -> Sequence[Prediction | MetierError]:
        """Return what follows each window, fitting to one after the other."""
        answers = []
        for window in windows:
            context.check()
            answers.append(attempt(partial(self._predict, window)))
        return answers

    def _predict(self, window: Window) -> Prediction:
        season = self._season(window)
        values = filled(window.values, season)
        if np.ptp(values) == 0:
            # Nothing varies: the models would divide by their error, which is 0.
            return _constant(values[-1], window)
        levels = sorted({_interval(level) for level in window.levels} - {0.0})
        known = self._known_ahead(window)
        # Their search for parameters passes through numbers that they warn of, and comes out of them by itself.
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = _MODELS[self._options.method](season_length=season)
            found = model.forecast(y=values, h=window.horizon, level=levels or None, **known)
        mean = np.asarray(found["mean"], dtype=np.float64)
        columns = [_column(found, level) for level in window.levels]
        quantiles = np.stack(columns, axis=1) if columns else np.zeros((window.horizon, 0))
        return checked(Prediction(mean, np.sort(quantiles, axis=1)))

    def _season(self, window: Window) -> int:
        if len(window.values) < _FEWEST_POINTS:
            raise InputError(
                "the series is too short to fit a model to",
                expected=f"{_FEWEST_POINTS} points or more",
                got=str(len(window.values)),
                blame="series of the request",
            )
        longest = min(len(window.values) // 2, self._options.longest_season or len(window.values))
        return window.season if window.season <= longest else 1

    def _known_ahead(self, window: Window) -> dict[str, Values]:
        """Return the covariates as statsforecast takes them, [T, C] and [H, C]; it needs all of them ahead."""
        if not window.covariates:
            return {}
        ahead = {name: covariate.future for name, covariate in window.covariates.items()}
        if unknown := [name for name, future in ahead.items() if future is None]:
            raise InputError(
                f"{self.card.id} needs to know its covariates ahead",
                expected="covariates with a future",
                got=f"none for {unknown[0]!r}",
                blame=f"covariates.{unknown[0]}.future",
                hint="leave it out, or choose a model that reads the past alone, such as chronos-2",
            )
        past = np.stack([covariate.past for covariate in window.covariates.values()], axis=1)
        return {"X": past, "X_future": np.stack([future for future in ahead.values() if future is not None], axis=1)}


def load(card: ModelCard, placement: Placement) -> Classic:
    """Return the model that the card's options name; it has no weights."""
    return Classic(card, read_options(ClassicOptions, card))


def _interval(level: float) -> float:
    """Return the width in percent of the central interval that ends at a quantile: 80 for 0.1 and 0.9."""
    return round(abs(2 * level - 1) * 100, 6)


def _column(found: Mapping[str, Any], level: float) -> Values:
    width = _interval(level)
    name = "mean" if width == 0 else f"{'lo' if level < 0.5 else 'hi'}-{width}"
    return np.asarray(found[name], dtype=np.float64)


def _constant(value: float, window: Window) -> Prediction:
    return Prediction(
        np.full(window.horizon, value), np.full((window.horizon, len(window.levels)), value, dtype=np.float64)
    )
