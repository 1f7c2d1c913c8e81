"""Loader `auto`: backtests cheap candidates on each series, and combines their forecasts by how well they did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from metier_contracts import CallContext, MetierError, ModelCard, Placement
from metier_contracts.authoring import attempt, read_options
from numpy.typing import NDArray

from metier_timeseries import classic, fracast_model
from metier_timeseries.forecaster import Forecaster, Prediction, Window
from metier_timeseries.options import AutoOptions

Values = NDArray[np.float64]

# What a candidate needs to learn from before a fold: fewer points say little about how it does on all of them.
_FEWEST_BEFORE = 10
_MEDIAN = (0.5,)


class Selector(Forecaster):
    """Combines candidates by their backtests.

    Each candidate forecasts the end of the series from what was before, once a fold, with the horizon asked for (or as
    much of it as the series allows). Forecasts of the whole series are then averaged, quantile by quantile, weighted by
    the mean absolute error of the medians to the power of -`power`. A candidate that fails on a series is left out of
    it; a series too short for any backtest takes the plain mean.
    """

    _options: AutoOptions

    def __init__(self, card: ModelCard, options: AutoOptions, candidates: Mapping[str, Forecaster]) -> None:
        super().__init__(card, options)
        self.names = tuple(candidates)
        self._candidates = tuple(candidates.values())
        self.device = self._candidates[0].device

    def predict(self, windows: Sequence[Window], context: CallContext) -> Sequence[Prediction | MetierError]:
        """Return what follows each window."""
        errors, forecasts = self.scout(windows, context)
        return combined(forecasts, errors, self._options.power)

    def scout(
        self, windows: Sequence[Window], context: CallContext
    ) -> tuple[Values, list[Sequence[Prediction | MetierError]]]:
        """Return the backtest errors of each candidate on each window, [C, N] with NaN for none, and its forecasts."""
        folds = [(place, fold) for place, window in enumerate(windows) for fold in self._folds(window)]
        errors = np.full((len(self._candidates), len(windows)), np.nan)
        forecasts = []
        for row, candidate in zip(errors, self._candidates, strict=True):
            past = candidate.predict([fold.window for _, fold in folds], context)
            found: dict[int, list[float]] = {}
            for (place, fold), prediction in zip(folds, past, strict=True):
                found.setdefault(place, []).append(fold.error(prediction))
            for place, own in found.items():
                row[place] = np.mean(own)
            forecasts.append(candidate.predict(windows, context))
        return errors, forecasts

    def _folds(self, window: Window) -> list[_Fold]:
        """Return the backtests of a series, each of which ends a horizon before the next."""
        count = len(window.values)
        horizon = min(window.horizon, max(1, count // 4))
        ends = [count - horizon * (number + 1) for number in range(self._options.folds)]
        return [_Fold(window, end, horizon) for end in ends if end >= max(_FEWEST_BEFORE, window.season + 1)]

    def resident_bytes(self) -> int:
        """Return the bytes of the network among the candidates."""
        return sum(candidate.resident_bytes() for candidate in self._candidates)

    def close(self) -> None:
        """Drop the tensors."""
        for candidate in self._candidates:
            candidate.close()


def combined(
    forecasts: Sequence[Sequence[Prediction | MetierError]], errors: Values, power: float
) -> list[Prediction | MetierError]:
    """Return the average forecast of each series. `forecasts`: of each candidate; `errors`: [C, N], NaN for none."""
    return [
        attempt(partial(combine, [own[place] for own in forecasts], errors[:, place], power))
        for place in range(errors.shape[1])
    ]


def combine(forecasts: Sequence[Prediction | MetierError], errors: Values, power: float) -> Prediction:
    """Return the average of the candidates' forecasts of one series; raise the first error where all failed.

    `errors`: the backtest error of each, [C], NaN for none.
    """
    usable = [place for place, forecast in enumerate(forecasts) if isinstance(forecast, Prediction)]
    chosen = [forecast for forecast in forecasts if isinstance(forecast, Prediction)]
    if not chosen:
        raise next(forecast for forecast in forecasts if isinstance(forecast, MetierError))
    weights = _weights(errors[usable], power)
    mean = np.average([one.mean for one in chosen], axis=0, weights=weights)
    quantiles = np.average([one.quantiles for one in chosen], axis=0, weights=weights)
    # An average of ascending quantiles ascends, but for its rounding.
    return Prediction(mean, np.maximum.accumulate(quantiles, axis=1))


class _Fold:
    """A backtest: `horizon` points after `end` are forecast from those before."""

    def __init__(self, whole: Window, end: int, horizon: int) -> None:
        self.window = replace(whole, values=whole.values[:end], horizon=horizon, levels=_MEDIAN)
        self._truth = whole.values[end : end + horizon]

    def error(self, prediction: Prediction | MetierError) -> float:
        """Return the mean absolute error of the median, NaN where there is none."""
        if isinstance(prediction, MetierError) or not np.isfinite(self._truth).any():
            return float("nan")
        return float(np.nanmean(np.abs(self._truth - prediction.quantiles[:, 0])))


def _weights(errors: Values, power: float) -> Values:
    """Return weights that sum to 1; one without an error takes the mean error of the others."""
    known = np.isfinite(errors)
    if not known.any():
        return np.full(len(errors), 1 / len(errors))
    whole = np.where(known, errors, errors[known].mean())
    # Relative to the best, so that a perfect backtest or a high power overflows nothing.
    floor = max(float(whole.max()) * 1e-9, np.finfo(np.float64).tiny)
    relative = (np.maximum(whole, floor) / max(float(whole.min()), floor)) ** -power
    return np.asarray(relative / relative.sum())


def load(card: ModelCard, placement: Placement) -> Selector:
    """Return the selector: the network in `placement.directory`, and the methods that the options name."""
    options = read_options(AutoOptions, card)
    shared = {"season": options.season, "windows": options.windows}

    def with_options(**own: object) -> ModelCard:
        return card.model_copy(update={"options": {**shared, **own}})

    network = fracast_model.load(with_options(loader="fracast", batch_series=options.batch_series), placement)
    methods: dict[str, Forecaster] = {
        method: classic.load(with_options(loader="classic", method=method, longest_season=24), placement)
        for method in options.candidates
    }
    return Selector(card, options, {"fracast-0": network, **methods})
