"""`Yardstick`: by what the quality of several models is compared."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from metier_contracts import ModelCard, Quality

from metier.decision.book import ProfileBook
from metier.decision.candidate import FigureSource
from metier.decision.requirements import Requirements

_LESS_IS_BETTER = frozenset(
    ("brier", "crps", "error", "fid", "loss", "mae", "mape", "mase", "mse", "perplexity", "rmse", "smape", "wer", "wql")
)
_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True)
class Yardstick:
    """One metric on one dataset. `values`: the value and its source of each model that has one, by id."""

    metric: str
    dataset: str
    values: dict[str, tuple[float, FigureSource]]

    def __str__(self) -> str:
        """Return the metric and the dataset for people."""
        return f"{self.metric} on {self.dataset}"


def yardstick(cards: Sequence[ModelCard], task: str, requirements: Requirements, book: ProfileBook) -> Yardstick | None:
    """Return by what these models are compared, None where there is nothing.

    That is the user's labelled sample measured last, unless the requirements name a metric or a dataset of the cards.
    Else it is the metric and dataset (those named, or any) that most cards state a figure of. Figures in which less is
    better are left out, since quality is a floor.
    """
    if requirements.metric is None and requirements.dataset is None:
        sample = _by_sample(cards, task, book)
        if sample is not None:
            return sample
    return _by_cards(cards, task, requirements)


def _by_sample(cards: Sequence[ModelCard], task: str, book: ProfileBook) -> Yardstick | None:
    latest = [quality for card in cards if (quality := book.quality(card, task)) is not None]
    if not latest:
        return None
    sample = max(latest, key=lambda quality: (quality.measured, quality.sample))
    found = {card.id: book.quality(card, task, sample.sample) for card in cards}
    values: dict[str, tuple[float, FigureSource]] = {
        model: (quality.value, "sample") for model, quality in found.items() if quality is not None
    }
    return Yardstick(sample.metric, f"your sample {sample.sample[:12]}", values)


def _by_cards(cards: Sequence[ModelCard], task: str, requirements: Requirements) -> Yardstick | None:
    stated = [(card.id, each) for card in cards for each in card.quality if _counts(each, task, requirements)]
    models = Counter(pair for _, pair in {(model, (each.metric, each.dataset)) for model, each in stated})
    if not models:
        return None
    metric, dataset = min(models, key=lambda pair: (-models[pair], pair))
    values: dict[str, tuple[float, FigureSource]] = {}
    for model, each in sorted(stated, key=lambda row: row[1].date):
        if (each.metric, each.dataset) == (metric, dataset):
            values[model] = (each.value, "card")
    return Yardstick(metric, dataset, values)


def _counts(quality: Quality, task: str, requirements: Requirements) -> bool:
    return (
        quality.task == task
        and requirements.metric in (None, quality.metric)
        and requirements.dataset in (None, quality.dataset)
        and math.isfinite(quality.value)
        and _LESS_IS_BETTER.isdisjoint(_WORD.findall(quality.metric.casefold()))
    )
