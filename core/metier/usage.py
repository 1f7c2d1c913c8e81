"""`Usage`: what models were used for, by step and by model, in sums that are exact.

Seconds and dollars of single answers are floats, of which each is a whole number of 2**-1074. Sums count those, so no
order and no grouping changes them: the steps of a pipeline add up to the pipeline, and `usage.cost` is the very float
that `math.fsum` gives for the costs of the answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import TypeVar

_SCALE_BITS = 1074
_SCALE = 1 << _SCALE_BITS


def parts(value: float) -> int:
    """Return a float as a count of 2**-1074, exactly."""
    numerator, denominator = value.as_integer_ratio()
    return numerator << (_SCALE_BITS + 1 - denominator.bit_length())


def whole(count: int) -> float:
    """Return the float nearest to a count of 2**-1074."""
    return count / _SCALE


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over requests that a model was asked.

    `failures`: how many of them failed. `cached`: answers that came from a cache, for which no model was asked.
    `exact_seconds`, `exact_cost`: the time of the model calls, and US dollars by the prices on the cards.
    """

    requests: int = 0
    failures: int = 0
    cached: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    exact_seconds: Fraction = Fraction(0)
    exact_cost: Fraction = Fraction(0)

    @property
    def seconds(self) -> float:
        """The time of the model calls, rounded once."""
        return float(self.exact_seconds)

    @property
    def cost(self) -> float:
        """US dollars, rounded once."""
        return float(self.exact_cost)

    def __add__(self, other: Totals) -> Totals:
        return _combined(self, other, 1)

    def __sub__(self, other: Totals) -> Totals:
        return _combined(self, other, -1)


def _combined(one: Totals, other: Totals, sign: int) -> Totals:
    return Totals(*(getattr(one, name) + sign * getattr(other, name) for name in Totals.__slots__))


Key = tuple[str | None, str]
_NOTHING = Totals()


@dataclass(frozen=True)
class Usage:
    """What was used: a row for each step and model.

    `rows`: `Totals` by (step, model); the step is the name of the `@task`, None outside of pipelines. Usages add and
    subtract row by row, and `sum(usage.steps.values(), Usage()) == usage`, as with `models`.
    """

    rows: Mapping[Key, Totals] = field(default_factory=dict)

    def __post_init__(self) -> None:
        used = {key: row for key, row in self.rows.items() if row != _NOTHING}
        object.__setattr__(self, "rows", MappingProxyType(used))

    @property
    def total(self) -> Totals:
        """The sum of all rows."""
        return sum(self.rows.values(), _NOTHING)

    @property
    def models(self) -> dict[str, Usage]:
        """What each model was used for, by its id."""
        return _grouped(self.rows, lambda key: key[1])

    @property
    def steps(self) -> dict[str | None, Usage]:
        """What each step used, by its name; what was asked outside of pipelines under None."""
        return _grouped(self.rows, lambda key: key[0])

    @property
    def requests(self) -> int:
        """How many requests models were asked, failed ones included."""
        return self.total.requests

    @property
    def failures(self) -> int:
        """How many of the requests failed."""
        return self.total.failures

    @property
    def cached(self) -> int:
        """How many answers came from a cache."""
        return self.total.cached

    @property
    def input_tokens(self) -> int:
        """The tokens that language models read, as far as they were counted."""
        return self.total.input_tokens

    @property
    def output_tokens(self) -> int:
        """The tokens that language models wrote, as far as they were counted."""
        return self.total.output_tokens

    @property
    def seconds(self) -> float:
        """The time of the model calls."""
        return self.total.seconds

    @property
    def cost(self) -> float:
        """US dollars, by the prices on the cards."""
        return self.total.cost

    def __add__(self, other: Usage) -> Usage:
        return _merged(self, other, Totals.__add__)

    def __sub__(self, other: Usage) -> Usage:
        return _merged(self, other, Totals.__sub__)

    def __str__(self) -> str:
        """Return a table with a line for each model and one for all."""
        lines = [(model, usage.total) for model, usage in self.models.items()]
        return _table([*lines, ("total", self.total)])


Name = TypeVar("Name", str, str | None)


def _grouped(rows: Mapping[Key, Totals], name_of: Callable[[Key], Name]) -> dict[Name, Usage]:
    groups: dict[Name, dict[Key, Totals]] = {}
    for key, row in rows.items():
        groups.setdefault(name_of(key), {})[key] = row
    return {name: Usage(group) for name, group in groups.items()}


def _merged(one: Usage, other: Usage, combine: Callable[[Totals, Totals], Totals]) -> Usage:
    keys = dict.fromkeys((*one.rows, *other.rows))
    return Usage({key: combine(one.rows.get(key, _NOTHING), other.rows.get(key, _NOTHING)) for key in keys})


_COLUMNS = ("model", "requests", "failures", "cached", "tokens read", "written", "seconds", "cost")


def _table(lines: Iterable[tuple[str, Totals]]) -> str:
    cells = [_COLUMNS, *((title, *_shown(row)) for title, row in lines)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]
        )
        for line in cells
    )


def _shown(row: Totals) -> tuple[str, ...]:
    counts = (row.requests, row.failures, row.cached, row.input_tokens, row.output_tokens)
    return (*map(str, counts), f"{row.seconds:.3f}", f"${row.cost:.6f}")
