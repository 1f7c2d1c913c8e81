"""The ledger: what each way did, and how each specialist compares with the language model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Literal

from metier_contracts import ModelCard

from metier.claims.intervals import (
    Interval,
    Parts,
    bootstrap,
    over_rounds,
    paired_difference,
    ratio_of_sums,
    wilson,
)
from metier.claims.measure import Done, Trial
from metier.claims.work import Metric, Role, Way, Work

Verdict = Literal["better", "not told apart", "worse"]


@dataclass(frozen=True)
class Row:
    """What one way did.

    `quality` with its interval of 95 %; `seconds` for an item, the median of the rounds of the quicker way to ask
    (`asked`); `dollars` for 1,000 items, at `dollars_per_hour` of the device where the model is local. None where
    nothing was timed or no price is known.
    """

    name: str
    role: Role
    given: str
    quality: float
    interval: Interval
    failed: int
    asked: Literal["one by one", "together"] | None = None
    seconds: float | None = None
    one_by_one: tuple[float, ...] = ()
    together: tuple[float, ...] = ()
    dollars: float | None = None
    dollars_per_hour: float | None = None
    fit_seconds: float | None = None
    answers: Sequence[Any] = ()


@dataclass(frozen=True)
class Comparison:
    """A specialist beside the language model.

    `gain`: by how much the specialist is better in the metric, with the paired interval of 95 %. `quicker`, `cheaper`:
    how many times, the median over rounds and their range.
    """

    specialist: str
    language_model: str
    gain: float
    gain_interval: Interval
    quality: Verdict
    quicker: float
    quicker_range: Interval
    cheaper: float | None
    cheaper_range: Interval | None

    def in_words(self) -> str:
        """Return the verdict."""
        if self.cheaper is None or self.cheaper_range is None:
            cost = f"{_times(self.quicker)} quicker"
        elif self.cheaper_range.low > 1:
            cost = f"{_times(self.cheaper)} cheaper"
        elif self.cheaper_range.high < 1:
            cost = f"{_times(1 / self.cheaper)} dearer"
        else:
            cost = "no cheaper and no dearer"
        return f"{cost}, quality {self.quality}"

    @property
    def holds(self) -> bool:
        """Whether it bears the claim out: at least 10 times cheaper in every round, and of no worse quality shown."""
        return self.quality != "worse" and self.cheaper_range is not None and self.cheaper_range.low >= 10


@dataclass(frozen=True)
class Remote:
    """What a remote model would cost for 1,000 items, reckoned from its listed price; it was not asked."""

    model: str
    dollars: float
    price_source: str
    price_date: str


@dataclass(frozen=True)
class Claim:
    """The page of the ledger for one kind of work: `items` in `rounds`, of each of which `timed` are asked alone."""

    task: str
    title: str
    data: str
    metric: str
    higher_is_better: bool
    items: int
    timed: int
    rounds: int
    rows: Sequence[Row]
    trials: Sequence[Trial]
    comparisons: Sequence[Comparison]
    tokens: tuple[float, float] | None
    remote: Sequence[Remote]

    def to_json(self) -> dict[str, Any]:
        """Return the fields, and the verdicts in words, as JSON holds them."""
        comparisons = [{**asdict(one), "verdict": one.in_words(), "holds": one.holds} for one in self.comparisons]
        return {**asdict(self), "comparisons": comparisons}


def claim(work: Work, done: Sequence[Done], trials: Sequence[Trial], cards: Iterable[ModelCard]) -> Claim:
    """Return the page of a kind of work, which the language model did in one way.

    `trials`: how that way was found. `cards`: those among which remote models with a price are looked for.
    """
    metric = work.metric
    parts = [metric.of(work.items, one.answers) for one in done]
    rows = [_row(metric, way, one, part) for way, one, part in zip(work.ways, done, parts, strict=True)]
    (best,) = (place for place, row in enumerate(rows) if row.role == "language model")
    comparisons = [
        _compare(metric, (rows[place], done[place], parts[place]), (rows[best], done[best], parts[best]))
        for place, row in enumerate(rows)
        if row.role == "specialist"
    ]
    tokens = done[best].tokens
    return Claim(
        task=work.task,
        title=work.title,
        data=work.data,
        metric=metric.name,
        higher_is_better=metric.higher_is_better,
        items=len(work.items),
        timed=work.timed,
        rounds=len(rows[best].one_by_one),
        rows=rows,
        trials=trials,
        comparisons=comparisons,
        tokens=tokens,
        remote=[] if tokens is None else _remote(cards, tokens),
    )


def interval(metric: Metric, parts: Parts) -> Interval:
    """Return the interval of a figure: Wilson's for a share, else by the bootstrap."""
    return wilson(int(parts[:, 0].sum()), len(parts)) if metric.is_share else bootstrap(parts)


def verdict(gain: Interval) -> Verdict:
    """Return what the interval of a gain says."""
    return "better" if gain.low > 0 else "worse" if gain.high < 0 else "not told apart"


def _row(metric: Metric, way: Way, done: Done, parts: Parts) -> Row:
    rounds = done.rounds
    return Row(
        name=way.name,
        role=way.role,
        given=way.given,
        quality=ratio_of_sums(parts),
        interval=interval(metric, parts),
        failed=done.failed,
        asked=None if rounds is None else "one by one" if rounds.best is rounds.one_by_one else "together",
        seconds=None if rounds is None else median(done.seconds),
        one_by_one=() if rounds is None else rounds.one_by_one,
        together=() if rounds is None else rounds.together,
        dollars=1000 * median(done.dollars) if done.dollars else None,
        dollars_per_hour=done.dollars_per_hour,
        fit_seconds=done.fit_seconds,
        answers=done.answers,
    )


def _compare(metric: Metric, own: tuple[Row, Done, Parts], other: tuple[Row, Done, Parts]) -> Comparison:
    (row, done, parts), (language, asked, beside) = own, other
    better, worse = (parts, beside) if metric.higher_is_better else (beside, parts)
    gain = paired_difference(better, worse)
    quicker = ratios(asked.seconds, done.seconds)
    cheaper = ratios(asked.dollars, done.dollars)
    return Comparison(
        specialist=row.name,
        language_model=language.name,
        gain=ratio_of_sums(better) - ratio_of_sums(worse),
        gain_interval=gain,
        quality=verdict(gain),
        quicker=median(quicker),
        quicker_range=over_rounds(quicker),
        cheaper=median(cheaper) if cheaper else None,
        cheaper_range=over_rounds(cheaper) if cheaper else None,
    )


def ratios(first: Sequence[float], second: Sequence[float]) -> list[float]:
    """Return first / second of each round; none where one of them is not known, or the second is nothing."""
    if not first or not second or not all(second):
        return []
    return [one / other for one, other in zip(first, second, strict=True)]


def _remote(cards: Iterable[ModelCard], tokens: tuple[float, float]) -> list[Remote]:
    """Return what each remote model with a price would cost, the cheapest first."""
    found = []
    for card in cards:
        if card.remote and (price := card.price) is not None:
            each = price.per_million_input_tokens * tokens[0] + price.per_million_output_tokens * tokens[1]
            found.append(Remote(card.id, 1000 * (price.per_call + each / 1e6), price.source, price.date))
    return sorted(found, key=lambda one: one.dollars)


def _times(ratio: float) -> str:
    return f"{ratio:.3g} times" if ratio < 100 else f"{ratio:.0f} times"
