"""Measuring the whole ledger, one kind of work after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from metier.claims.classifying import classifying
from metier.claims.extracting import extracting
from metier.claims.forecasting import forecasting
from metier.claims.ledger import Claim, claim
from metier.claims.measure import Report, choose, do
from metier.claims.relating import relating
from metier.claims.work import Scale, Work
from metier.runtime import Runtime

FULL = Scale(
    items={"classify": 500, "extract": 21, "forecast": 48, "graph-score": 120},
    timed={"classify": 4, "extract": 1, "forecast": 1, "graph-score": 2},
    rounds=6,
)
QUICK = Scale(
    items={"classify": 12, "extract": 4, "forecast": 4, "graph-score": 8},
    timed={"classify": 2, "extract": 1, "forecast": 1, "graph-score": 2},
    rounds=3,
)


def measured(
    runtime: Runtime, language_model: str, specialists: Mapping[str, str], scale: Scale, report: Report
) -> Iterator[Claim]:
    """Yield the page of each task that `specialists` names."""
    cards = [info.card for info in runtime.models()]
    for task, specialist in specialists.items():
        given = work_of(task, language_model, specialist, scale, offline=runtime.config.offline)
        work, trials = choose(runtime, given, report)
        yield claim(work, do(runtime, work, scale.rounds, report), trials, cards)


def work_of(task: str, language_model: str, specialist: str, scale: Scale, *, offline: bool = False) -> Work:
    """Return the work of a task, its items drawn."""
    match task:
        case "classify":
            return classifying(language_model, specialist, scale, offline=offline)
        case "extract":
            return extracting(language_model, specialist, scale)
        case "forecast":
            return forecasting(language_model, specialist, scale, offline=offline)
    return relating(language_model, specialist, scale)
