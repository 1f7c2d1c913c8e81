"""The settings of the selector `auto`, tried on Tourism alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from metier import Runtime
from metier_contracts import CallContext, MetierError, ModelCard, Placement

from benchmarks.evaluate.competitions import LEVELS, Item, competition, mase

POWERS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 16.0)
FOLDS = (1, 2, 3)
_DATA = """\
Mean MASE over the 1,311 series of Tourism. `auto` weights its candidates by their backtest error to the power of
-`power`, over `folds` backtests of each series: power 0 is their plain mean, a high one picks the best. The card holds
one fold and power 1: three folds gain 0.0004, and take nearly twice as long. The column MASE is of each candidate by
itself."""


def judge() -> dict[str, Any]:
    """Try every number of folds with every power."""
    rows = tried(competition("Tourism"))
    return {"title": "Settings of the selector, chosen on Tourism", "data": _DATA, "rows": rows}


def tried(items: Sequence[Item]) -> dict[str, Any]:
    """Return the mean MASE of each candidate, and of the selector for each number of folds and each power.

    Candidates forecast once for each number of folds: powers only weigh what they gave.
    """
    from metier_timeseries import selector
    from metier_timeseries.forecaster import Window

    card, placement = _card()
    windows = [Window(item.past, len(item.future), LEVELS, item.season) for item in items]
    rows: dict[str, Any] = {}
    for folds in FOLDS:
        options = {**card.options, "folds": folds}
        chosen = selector.load(card.model_copy(update={"options": options}), placement)
        errors, forecasts = chosen.scout(windows, CallContext())
        for name, own in zip(chosen.names, forecasts, strict=True):
            rows.setdefault(name, {"MASE": _mean(items, own), **dict.fromkeys(f"power {power:g}" for power in POWERS)})
        rows[f"auto, folds {folds}"] = {
            "MASE": None,
            **{f"power {power:g}": _mean(items, selector.combined(forecasts, errors, power)) for power in POWERS},
        }
        print(folds, rows[f"auto, folds {folds}"], flush=True)
    return rows


def _card() -> tuple[ModelCard, Placement]:
    with Runtime() as runtime:
        (card,) = (info.card for info in runtime.models() if info.card.id == "auto")
        return card, Placement(directory=runtime.pull(card.id))


def _mean(items: Sequence[Item], predictions: Sequence[Any]) -> float:
    pairs = [(item, one) for item, one in zip(items, predictions, strict=True) if not isinstance(one, MetierError)]
    return round(float(np.nanmean([mase(item, one.quantiles[:, LEVELS.index(0.5)]) for item, one in pairs])), 4)
