"""A measured figure, beside what it must hold."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One figure. `goal` says what it must hold, `met` whether it does (None where it is only told)."""

    name: str
    value: float
    unit: str
    goal: str = ""
    met: bool | None = None


def at_most(name: str, value: float, unit: str, limit: float) -> Figure:
    """Return a figure that must not exceed a limit."""
    return Figure(name, value, unit, f"at most {limit:g} {unit}", value <= limit)


def at_least(name: str, value: float, unit: str, limit: float) -> Figure:
    """Return a figure that must reach a limit."""
    return Figure(name, value, unit, f"at least {limit:g} {unit}", value >= limit)


def seconds_of(work: Callable[[], object]) -> float:
    """Return the wall seconds of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def interleaved(works: Sequence[Callable[[], object]], rounds: int, warm_up: int = 1) -> list[list[float]]:
    """Time several pieces of work in turn, so that a drift of the machine meets all; return the seconds of each."""
    for _ in range(warm_up):
        for work in works:
            work()
    rows = [[seconds_of(work) for work in works] for _ in range(rounds)]
    return [list(column) for column in zip(*rows, strict=True)]


def median_difference(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the median of the paired differences first - second."""
    return statistics.median(a - b for a, b in zip(first, second, strict=True))


def median_ratio(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the median of the paired ratios first / second."""
    return statistics.median(a / b for a, b in zip(first, second, strict=True))
