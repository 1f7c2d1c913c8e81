"""`Trace`: what one value went through on its way through a pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from statistics import fmean
from typing import Any

from metier_contracts import Generation, Provenance, Request, Response, Size

from metier.sizes import merged


@dataclass(frozen=True, slots=True)
class Asked:
    """Requests that a task made of the value at one time, and that one model answered.

    `model`: None where no answer came. `size`: of a request on average, with the tokens that were written. `cached`:
    whether the answers were given before, so that no model ran.
    """

    step: str
    task: str
    model: str | None
    size: Size
    count: int = 1
    cached: bool = False


@dataclass(frozen=True, slots=True)
class Worked:
    """The seconds that a function took."""

    step: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Beside:
    """What was done at the same time, by arm."""

    arms: tuple[tuple[Entry, ...], ...]


Entry = Asked | Worked | Beside


@dataclass(slots=True)
class Trace:
    """The entries of one value, in order. `failed`: whether no result came of it."""

    entries: list[Entry] = field(default_factory=list)
    failed: bool = False


def steps_of(entries: Sequence[Entry]) -> Iterator[str]:
    """Yield the names of the steps, in order; what came from a cache says so."""
    for entry, following in zip_longest(entries, entries[1:]):
        if isinstance(entry, Beside):
            for arm in entry.arms:
                yield from steps_of(arm)
        elif isinstance(entry, Asked):
            yield f"{entry.step} (cached)" if entry.cached else entry.step
        elif not (isinstance(following, Asked) and following.step == entry.step):  # else it made the requests
            yield entry.step


def note_answers(
    step: str, traces: Sequence[Trace], requests: Sequence[Request[Any]], answers: Sequence[object]
) -> None:
    """Put down what a task asked: of each request the trace of the value that it was made of, and the answer."""
    sizes: dict[tuple[int, str, str | None, bool], list[Size]] = {}
    for trace, request, answer in zip(traces, requests, answers, strict=True):
        size = _size(request, answer)
        for model, cached in _models(answer):
            sizes.setdefault((id(trace), request.task, model, cached), []).append(size)
    own = {id(trace): trace for trace in traces}
    for (place, task, model, cached), those in sizes.items():
        own[place].entries.append(Asked(step, task, model, merged(those, fmean), len(those), cached))


def _size(request: Request[Any], answer: object) -> Size:
    size = request.workload()
    if isinstance(answer, Generation) and answer.tokens_known:
        return replace(size, output_tokens=answer.output_tokens)
    return size


def _models(answer: object) -> Iterator[tuple[str | None, bool]]:
    """Yield the models that answered, of a composed one its parts, and whether each answer was given before."""
    if not isinstance(answer, Response) or answer.provenance is None:
        yield None, False
        return
    for origin in _origins(answer.provenance):
        yield origin.model, origin.cached


def _origins(provenance: Provenance) -> Iterator[Provenance]:
    if not provenance.parts:
        yield provenance
    for part in provenance.parts:
        yield from _origins(part)
