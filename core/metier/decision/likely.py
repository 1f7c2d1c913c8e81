"""What a value is likely to take of a pipeline, by what values like it went through.

Each call that a value of the sample led to is taken at the size that it had, and at the seconds of the model's profile
for that size: what the call took when it was made does not count, since it may have waited, loaded the model, or been
one of a batch. The seconds of functions, of which nothing else is known, are those that they took.

The seconds of a value are log-normal. Their median is the sum of the medians of its calls and of its functions'
seconds. Their 95th percentile lies above that by the root of the summed squares of how far those of the calls lie above
theirs, as if calls were slow independently of each other. The sample is the mixture of its values in equal parts.

Steps done at the same time take what the longest takes, and at least the sum of all that is done on this machine, which
they share.
"""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, median
from typing import Any

import numpy as np

from metier.decision.plan import (
    Likely,
    LikelyPath,
    Plan,
    PlannedCall,
    PlannedPath,
    total,
    unchecked_in,
    weight,
)
from metier.pipeline.step import Step
from metier.pipeline.trace import Asked, Beside, Entry, Trace, Worked, steps_of
from metier.sizes import merged

PlanAsked = Callable[[Asked], PlannedCall]

_UNKNOWN = math.inf
_NORMAL = NormalDist()
_PARTS = 101
_STANDARD = np.array([_NORMAL.inv_cdf((part + 0.5) / _PARTS) for part in range(_PARTS)]) / _NORMAL.inv_cdf(0.95)


def planned_like(pipeline: Step[Any, Any], traces: Sequence[Trace], call_of: PlanAsked) -> Plan:
    """Return the plan of a pipeline by the traces of a sample, at least one, and by what is known of each call."""
    call_of = functools.cache(call_of)
    courses = [_course(trace, call_of) for trace in traces]
    ways = [course.calls for course in courses]
    return Plan(
        calls=tuple(_rows(traces, call_of)),
        cheapest=PlannedPath(calls=min(ways, key=weight)),
        dearest=PlannedPath(calls=max(ways, key=weight)),
        likely=_likely(courses),
        unchecked=unchecked_in(pipeline),
        notes=tuple(_notes(traces, ways)),
    )


@dataclass(frozen=True)
class _Course:
    """What a value went through: its steps, each once, its calls, and its seconds at the median and the p95."""

    steps: tuple[str, ...]
    calls: tuple[PlannedCall, ...]
    p50: float
    p95: float


def _course(trace: Trace, call_of: PlanAsked) -> _Course:
    steps = tuple(dict.fromkeys(steps_of(trace.entries)))
    span = _span(trace.entries, call_of)
    calls = tuple(call_of(asked) for asked in _answered(trace.entries))
    return _Course((*steps, "failed") if trace.failed else steps, calls, span.elapsed, span.elapsed + span.squares**0.5)


@dataclass
class _Span:
    """Seconds: from the start to the end, and those of them on this machine. `squares`: of how far p95 lies above."""

    elapsed: float = 0.0
    busy: float = 0.0
    squares: float = 0.0


def _span(entries: Iterable[Entry], call_of: PlanAsked) -> _Span:
    span = _Span()
    for entry in entries:
        match entry:
            case Worked():
                span.elapsed += entry.seconds
                span.busy += entry.seconds
            case Beside():
                arms = [_span(arm, call_of) for arm in entry.arms]
                busy = sum(arm.busy for arm in arms)
                span.elapsed += max(busy, *(arm.elapsed for arm in arms))
                span.busy += busy
                span.squares += sum(arm.squares for arm in arms)
            case Asked() if _ran(entry):
                call = call_of(entry)
                p50, p95 = (_UNKNOWN if seconds is None else seconds for seconds in (call.p50, call.p95))
                span.elapsed += p50
                span.busy += 0.0 if call.remote else p50
                span.squares += (p95 - p50) ** 2 if p50 < _UNKNOWN else _UNKNOWN
    return span


def _ran(asked: Asked) -> bool:
    return asked.model is not None and not asked.cached


def _asked(entries: Iterable[Entry]) -> Iterator[Asked]:
    for entry in entries:
        if isinstance(entry, Asked):
            yield entry
        elif isinstance(entry, Beside):
            for arm in entry.arms:
                yield from _asked(arm)


def _answered(entries: Iterable[Entry]) -> Iterator[Asked]:
    return filter(_ran, _asked(entries))


def _rows(traces: Sequence[Trace], call_of: PlanAsked) -> Iterator[PlannedCall]:
    """Yield for each step and model the call of middle size, and how many of such calls a value led to."""
    rows: dict[tuple[str, str | None, str], list[Asked]] = defaultdict(list)
    for trace in traces:
        for asked in _answered(trace.entries):
            rows[asked.step, asked.model, asked.size.unit].append(asked)
    for (step, model, _), those in rows.items():
        size, count = merged([one.size for one in those], median), round(median(one.count for one in those))
        middle = Asked(step, those[0].task, model, size, count)
        yield call_of(middle).replaced(times=len(those) / len(traces))


def _likely(courses: Sequence[_Course]) -> Likely:
    ways: dict[tuple[str, ...], list[_Course]] = defaultdict(list)
    for course in courses:
        ways[course.steps].append(course)
    paths = [
        LikelyPath(steps=steps, share=len(those) / len(courses), **_expected(those)) for steps, those in ways.items()
    ]
    return Likely(paths=tuple(sorted(paths, key=lambda path: -path.share)), **_expected(courses))


def _expected(courses: Sequence[_Course]) -> dict[str, Any]:
    costs = [total(call.cost for call in course.calls) for course in courses]
    calls = [call for course in courses for call in course.calls]
    figures: dict[str, Any] = {"values": len(courses), "memory": PlannedPath(calls=tuple(calls)).memory}
    known = [cost for cost in costs if cost is not None]
    if len(known) == len(costs):
        figures["cost"] = fmean(known)
    if all(course.p50 < _UNKNOWN for course in courses):
        figures.update(zip(("mean", "p50", "p95"), _mixed(courses), strict=True))
    return figures


def _mixed(courses: Sequence[_Course]) -> tuple[float, float, float]:
    """Return the mean, the median and the 95th percentile of a mixture, each value by the middles of equal parts."""
    half, most = (np.array([getattr(course, name) for course in courses])[:, None] for name in ("p50", "p95"))
    ratio = np.divide(most, half, out=np.ones_like(half), where=half > 0)
    pool = half * ratio**_STANDARD
    p50, p95 = np.quantile(pool, (0.5, 0.95), method="hazen")
    return float(pool.mean()), float(p50), float(p95)


def _notes(traces: Sequence[Trace], ways: Sequence[Sequence[PlannedCall]]) -> Iterator[str]:
    yield f"likely, by {len(traces)} values that ran here: of one value in run(), its models loaded"
    calls = [call for way in ways for call in way]
    for model in dict.fromkeys(call.model for call in calls if call.p50 is None):
        yield f"what {model} takes is not known: metier calibrate {model}"
    for model in dict.fromkeys(call.model for call in calls if call.figures == "card" and call.p50 is not None):
        yield f"what {model} takes is reckoned from its card: metier calibrate {model}"
    unanswered = (asked.step for trace in traces for asked in _asked(trace.entries) if asked.model is None)
    for step in dict.fromkeys(unanswered):
        yield f"{step} failed for some, which is taken to take no time"
