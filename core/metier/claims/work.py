"""`Work`: labelled items, the ways to do them, and how an answer is judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from metier_contracts import FitRequest, Request

from metier.claims.intervals import Parts

Item = Any
Answer = Any
"""What JSON can hold; None where the model failed."""

Role = Literal["language model", "specialist", "baseline"]


@dataclass(frozen=True)
class Asked:
    """A way that asks a model.

    `given`: what it is told. `ask`: the requests for some items, one for each or one for all of them. `read`: the
    answer to each item in the responses, where an exception stands for a failure. `fit`: what is fitted first.
    """

    name: str
    role: Role
    model: str
    given: str
    ask: Callable[[Sequence[Item]], Sequence[Request[Any]]]
    read: Callable[[Sequence[Item], Sequence[Any]], list[Answer]]
    fit: FitRequest | None = None


@dataclass(frozen=True)
class Rule:
    """A way without a model, which shows what little work gives."""

    name: str
    given: str
    answer: Callable[[Item], Answer]
    role: Role = "baseline"


Way = Asked | Rule


@dataclass(frozen=True)
class Metric:
    """A figure that is a ratio of sums over items.

    `parts`: what an item with an answer adds to the numerator and to the denominator. `is_share`: it counts items.
    """

    name: str
    higher_is_better: bool
    parts: Callable[[Item, Answer], tuple[float, float]]
    is_share: bool = False

    def of(self, items: Sequence[Item], answers: Sequence[Answer]) -> Parts:
        """Return the parts of all items, [N, 2]."""
        return np.array([self.parts(item, answer) for item, answer in zip(items, answers, strict=True)], np.float64)


@dataclass(frozen=True)
class Work:
    """A kind of work.

    `items`: what all ways do and are judged on; `timed`: how many are asked one by one in each round. `trial`: other
    items, on which the language model's best way is found where it has several.
    """

    task: str
    title: str
    data: str
    metric: Metric
    items: Sequence[Item]
    ways: Sequence[Way]
    timed: int
    trial: Sequence[Item] = ()


@dataclass(frozen=True)
class Scale:
    """How much is measured: the most items of each kind of work, those asked one by one in a round, and the rounds."""

    items: Mapping[str, int]
    timed: Mapping[str, int]
    rounds: int


def each(read: Callable[[Item, Any], Answer]) -> Callable[[Sequence[Item], Sequence[Any]], list[Answer]]:
    """Return how one response for each item is read; a failure has no answer."""

    def read_all(items: Sequence[Item], responses: Sequence[Any]) -> list[Answer]:
        return [
            None if isinstance(response, Exception) else read(item, response)
            for item, response in zip(items, responses, strict=True)
        ]

    return read_all


def is_right(item: Item, answer: Answer) -> tuple[float, float]:
    """Count an item whose answer is its label."""
    return float(answer == item.label), 1.0
