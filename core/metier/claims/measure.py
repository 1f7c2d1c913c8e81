"""Doing the work in every way: all items once, for quality, and some of them in rounds, for time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from metier_contracts import InputError, Response

from metier.claims.intervals import ratio_of_sums
from metier.claims.work import Answer, Asked, Item, Rule, Work
from metier.decision.machine import this_machine
from metier.decision.prices import Prices
from metier.decision.profile import CHARACTERS_PER_TOKEN
from metier.runtime import Runtime

Report = Callable[[str], None]


@dataclass(frozen=True)
class Rounds:
    """Seconds for an item in each round: asked one by one, and all of the round's items together."""

    one_by_one: tuple[float, ...]
    together: tuple[float, ...]

    @property
    def best(self) -> tuple[float, ...]:
        """The rounds of the quicker of the two ways to ask."""
        return min(self.one_by_one, self.together, key=median)


@dataclass(frozen=True)
class Done:
    """What came of one way.

    `answers`: one for each item. `fit_seconds`: None where nothing was fitted. `dollars_per_hour`: of the device of a
    local model. `dollars_per_item`: of a remote one. `tokens`: about how many tokens a language model read and wrote
    for an item.
    """

    answers: Sequence[Answer]
    fit_seconds: float | None = None
    rounds: Rounds | None = None
    dollars_per_hour: float | None = None
    dollars_per_item: float | None = None
    tokens: tuple[float, float] | None = None

    @property
    def failed(self) -> int:
        """How many items have no answer."""
        return sum(answer is None for answer in self.answers)

    @property
    def seconds(self) -> tuple[float, ...]:
        """The seconds for an item in each round, none where nothing was timed."""
        return () if self.rounds is None else self.rounds.best

    @property
    def dollars(self) -> tuple[float, ...]:
        """The dollars for an item in each round, none where no price is known."""
        if self.dollars_per_item is not None:
            return (self.dollars_per_item,) * len(self.seconds)
        if self.dollars_per_hour is None:
            return ()
        return tuple(seconds * self.dollars_per_hour / 3600 for seconds in self.seconds)


@dataclass(frozen=True)
class Trial:
    """How a way of the language model did on the trial items."""

    name: str
    given: str
    items: int
    quality: float


def choose(runtime: Runtime, work: Work, report: Report) -> tuple[Work, list[Trial]]:
    """Return the work with the one way of the language model that did best on the trial items, and how each did there.

    The items on which the ways are judged have no part in the choice.
    """
    asked = [way for way in work.ways if isinstance(way, Asked) and way.role == "language model"]
    if len(asked) == 1:
        return work, []
    trials = []
    for way in asked:
        report(f"{work.task}: trial of {way.name}")
        answers, _ = _answers(runtime, way, work.trial)
        quality = ratio_of_sums(work.metric.of(work.trial, answers))
        trials.append(Trial(way.name, way.given, len(work.trial), quality))
    sign = 1 if work.metric.higher_is_better else -1
    best = max(trials, key=lambda trial: sign * trial.quality).name
    kept = tuple(way for way in work.ways if way.role != "language model" or way.name == best)
    return replace(work, ways=kept), trials


def do(runtime: Runtime, work: Work, rounds: int, report: Report) -> list[Done]:
    """Do a piece of work in all of its ways.

    Each model is loaded, fitted where need be, and asked once before anything is timed. The rounds of all ways are
    interleaved, so that a drift of the machine meets them all.
    """
    fits, answered = [], []
    for way in work.ways:
        report(f"{work.task}: {way.name}")
        fits.append(_fit(runtime, way) if isinstance(way, Asked) else None)
        answered.append(_answers(runtime, way, work.items))
    timed = work.items[: work.timed]
    seconds: list[list[tuple[float, float]]] = [[] for _ in work.ways]
    for number in range(rounds):
        report(f"{work.task}: round {number + 1} of {rounds}")
        for place, way in enumerate(work.ways):
            if isinstance(way, Asked):
                seconds[place].append(_time(runtime, way, timed))
    return [
        Done(answers) if isinstance(way, Rule) else _done(runtime, way, work.items, answers, fit, spent, responses)
        for way, (answers, responses), fit, spent in zip(work.ways, answered, fits, seconds, strict=True)
    ]


def _fit(runtime: Runtime, way: Asked) -> float | None:
    if way.fit is None:
        return None
    started = time.perf_counter()
    runtime.fit(way.fit, replace=True, progress=False)
    return time.perf_counter() - started


def _answers(runtime: Runtime, way: Asked | Rule, items: Sequence[Item]) -> tuple[list[Answer], list[Any]]:
    if isinstance(way, Rule):
        return [way.answer(item) for item in items], []
    responses = list(runtime.map(way.ask(items), model=way.model, on_error="collect", progress=False))
    for response in responses:
        if isinstance(response, InputError):
            raise response  # the model does not serve the request: no figure of quality
    return way.read(items, responses), responses


def _time(runtime: Runtime, way: Asked, items: Sequence[Item]) -> tuple[float, float]:
    """Return the seconds for an item, asked one by one and together."""
    started = time.perf_counter()
    for item in items:
        list(runtime.map(way.ask([item]), model=way.model, on_error="collect", progress=False))
    between = time.perf_counter()
    list(runtime.map(way.ask(items), model=way.model, on_error="collect", progress=False))
    return (between - started) / len(items), (time.perf_counter() - between) / len(items)


def _done(
    runtime: Runtime,
    way: Asked,
    items: Sequence[Item],
    answers: Sequence[Answer],
    fit_seconds: float | None,
    spent: Sequence[tuple[float, float]],
    responses: Sequence[Any],
) -> Done:
    card = runtime.model(way.model).card
    origins = [one.provenance for one in responses if isinstance(one, Response) and one.provenance is not None]
    hour = None
    if not card.remote and origins:
        hour = Prices(runtime.config.prices).dollars_per_hour(origins[0].device, this_machine())
    return Done(
        answers=answers,
        fit_seconds=fit_seconds,
        rounds=Rounds(tuple(one for one, _ in spent), tuple(many for _, many in spent)),
        dollars_per_hour=hour,
        dollars_per_item=sum(origin.cost for origin in origins) / len(items) if card.remote else None,
        tokens=_tokens(way, items, answers) if way.role == "language model" else None,
    )


def _tokens(way: Asked, items: Sequence[Item], answers: Sequence[Answer]) -> tuple[float, float]:
    """Return about how many tokens are read and written for an item, reckoned from the characters of the texts."""
    read = sum(len(text) for request in way.ask(items) for text in _texts(request.model_dump(mode="json")))
    written = sum(len(str(answer)) for answer in answers if answer is not None)
    return read / len(items) / CHARACTERS_PER_TOKEN, written / len(items) / CHARACTERS_PER_TOKEN


def _texts(value: Any) -> list[str]:
    """Return the texts within a value, those of a schema among them, since a remote model reads it too."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _texts(one)]
