"""Plots of series, their forecasts and their anomalies, for people. Needs matplotlib."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure  # not pyplot, which opens windows and keeps every figure
from metier_contracts import Anomalies, DetectAnomalies, Forecast, ForecastResult, Series

_PAST, _FUTURE, _STRANGE = "#30343b", "#0a6fb8", "#d1342f"
_LEAST_SHOWN = 48
_DARKEST = 0.45


def forecast(request: Forecast, response: ForecastResult) -> Figure:
    """Return the end of the series, the mean of its forecast, and a band between each pair of quantiles."""
    figure, axes = _figure(request.series)
    shown = min(len(request.series), max(_LEAST_SHOWN, 4 * request.horizon))
    axes.plot(_times(request.series)[-shown:], request.series.values[-shown:], color=_PAST, linewidth=1.2)
    count = len(request.series)
    ahead = np.arange(count, count + request.horizon) if response.timestamps is None else response.timestamps
    pairs = len(response.quantile_levels) // 2
    for outer in range(pairs):
        low, high = response.quantile_levels[outer], response.quantile_levels[-1 - outer]
        axes.fill_between(
            ahead,
            response.quantiles[:, outer],
            response.quantiles[:, -1 - outer],
            color=_FUTURE,
            alpha=_DARKEST * (outer + 1) / pairs,
            linewidth=0,
            label=f"{low:g} to {high:g}",
        )
    axes.plot(ahead, response.mean, color=_FUTURE, linewidth=1.6, label="forecast")
    axes.legend(frameon=False, loc="upper left")
    return figure


def anomalies(request: DetectAnomalies, response: Anomalies) -> Figure:
    """Return the whole series, with the flagged points marked."""
    figure, axes = _figure(request.series)
    times, values = _times(request.series), request.series.values
    axes.plot(times, values, color=_PAST, linewidth=1.2)
    flagged = response.flags
    axes.plot(times[flagged], values[flagged], "o", color=_STRANGE, markersize=6, label=f"{flagged.sum()} flagged")
    axes.legend(frameon=False, loc="upper left")
    return figure


def _figure(series: Series) -> tuple[Figure, Any]:
    figure = Figure(figsize=(9, 4), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    axes.set_ylabel(series.name or "value")
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _times(series: Series) -> Any:
    return np.arange(len(series)) if series.timestamps is None else series.timestamps
