"""Doing the work in every way, in interleaved rounds that give both the answers and the seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from metier_contracts import InferenceError, Provenance, Response

from metier.claims.intervals import ratio_of_sums
from metier.claims.work import Answer, Asked, Item, Rule, Way, Work
from metier.decision.machine import this_machine
from metier.decision.prices import Prices
from metier.decision.tokens import CHARACTERS_PER_TOKEN
from metier.runtime import Runtime

Report = Callable[[str], None]


@dataclass(frozen=True)
class Rounds:
    """Seconds for an item in each round: of a few asked one by one, and of all of the round's items together."""

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
        answers = way.read(work.trial, _asked(runtime, way, work.trial))
        quality = ratio_of_sums(work.metric.of(work.trial, answers))
        trials.append(Trial(way.name, way.given, len(work.trial), quality))
    sign = 1 if work.metric.higher_is_better else -1
    best = max(trials, key=lambda trial: sign * trial.quality).name
    kept = tuple(way for way in work.ways if way.role != "language model" or way.name == best)
    return replace(work, ways=kept), trials


def do(runtime: Runtime, work: Work, rounds: int, report: Report) -> list[Done]:
    """Do a piece of work in all of its ways.

    The items are dealt out to the rounds, in which all ways take turns, so that a drift of the machine meets them all.
    In a round each way is asked for its items together, which gives the answers, and for a few of them one by one. Each
    model is loaded, fitted where need be, and asked once before that.
    """
    fits = []
    for way in work.ways:
        report(f"{work.task}: {way.name}, first answer")
        fits.append(_prepare(runtime, way, work.items))
    count = min(rounds, len(work.items))
    spent: list[list[_Round]] = [[] for _ in work.ways]
    for number in range(count):
        items = work.items[number::count]
        for place, way in enumerate(work.ways):
            report(f"{work.task}: round {number + 1} of {count}, {way.name}")
            spent[place].append(_round(runtime, way, items, items[: work.timed]))
    return [_done(runtime, way, work.items, fit, one) for way, fit, one in zip(work.ways, fits, spent, strict=True)]


@dataclass(frozen=True)
class _Round:
    """What a way did in one round; the seconds are for an item."""

    answers: Sequence[Answer]
    origins: Sequence[Provenance] = ()
    one_by_one: float = 0.0
    together: float = 0.0


def _prepare(runtime: Runtime, way: Way, items: Sequence[Item]) -> float | None:
    """Return the seconds of fitting, None where nothing is fitted."""
    if isinstance(way, Rule):
        return None
    seconds = None
    if way.fit is not None:
        started = time.perf_counter()
        runtime.fit(way.fit, replace=True, progress=False)
        seconds = time.perf_counter() - started
    _asked(runtime, way, items[:1])
    return seconds


def _round(runtime: Runtime, way: Way, items: Sequence[Item], timed: Sequence[Item]) -> _Round:
    if isinstance(way, Rule):
        return _Round([way.answer(item) for item in items])
    started = time.perf_counter()
    responses = _asked(runtime, way, items)
    between = time.perf_counter()
    for item in timed:
        _asked(runtime, way, [item])
    return _Round(
        way.read(items, responses),
        [one.provenance for one in responses if isinstance(one, Response) and one.provenance is not None],
        one_by_one=(time.perf_counter() - between) / len(timed),
        together=(between - started) / len(items),
    )


def _asked(runtime: Runtime, way: Asked, items: Sequence[Item]) -> list[Any]:
    """Return a response or a failure for each request; raise what keeps the model from serving any of them."""
    responses = list(runtime.map(way.ask(items), model=way.model, on_error="collect", progress=False))
    refused = [one for one in responses if isinstance(one, Exception) and not isinstance(one, InferenceError)]
    if len(refused) == len(responses):
        raise refused[0]
    return responses


def _done(runtime: Runtime, way: Way, items: Sequence[Item], fit: float | None, spent: Sequence[_Round]) -> Done:
    answers: list[Answer] = [None] * len(items)
    for number, one in enumerate(spent):
        answers[number :: len(spent)] = one.answers
    if isinstance(way, Rule):
        return Done(answers)
    remote = runtime.model(way.model).card.remote
    origins = [origin for one in spent for origin in one.origins]
    hour = None
    if not remote and origins:
        hour = Prices(runtime.config.prices).dollars_per_hour(origins[0].device, this_machine())
    return Done(
        answers=answers,
        fit_seconds=fit,
        rounds=Rounds(tuple(one.one_by_one for one in spent), tuple(one.together for one in spent)),
        dollars_per_hour=hour,
        dollars_per_item=sum(origin.cost for origin in origins) / len(items) if remote else None,
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
