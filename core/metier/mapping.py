"""`Runtime.map`: batches, order, progress, and errors raised or collected."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from contextlib import contextmanager
from itertools import islice
from typing import Any, Literal

from metier_contracts import Contract, InputError

from metier.pipeline.engine import Failed
from metier.scope import Scope
from metier.weights.progress import ProgressCallback, ignore_progress

OnError = Literal["raise", "collect"]


def mapped(
    work: Callable[[Sequence[Any]], Sequence[Any]],
    values: Iterable[Any],
    batch_size: int,
    progress: bool | ProgressCallback,
    on_error: OnError,
    scope: Scope,
) -> Iterator[Any]:
    """Yield the outcome of each value, in order; `work` gives the value or the `Failed` of each in a batch."""
    _check(values, on_error)
    return _outcomes(work, values, batch_size, progress, on_error, scope)


def _outcomes(
    work: Callable[[Sequence[Any]], Sequence[Any]],
    values: Iterable[Any],
    batch_size: int,
    progress: bool | ProgressCallback,
    on_error: OnError,
    scope: Scope,
) -> Iterator[Any]:
    total = len(values) if isinstance(values, Sized) else None
    waiting = iter(values)
    done = 0
    with reporting(progress, "map") as report, scope.lasting() as entered:
        while batch := list(islice(waiting, batch_size)):
            with entered():
                outcomes = work(batch)
            for outcome in outcomes:
                if isinstance(outcome, Failed) and on_error == "raise":
                    raise outcome.error
                yield outcome.error if isinstance(outcome, Failed) else outcome
            done += len(batch)
            report(done, total)


def _check(values: object, on_error: object) -> None:
    # A single request is iterable too: over its fields.
    if isinstance(values, Contract) or not isinstance(values, Iterable):
        raise InputError(
            "map takes many",
            expected="map(requests) or map(pipeline, values), each an iterable",
            got=type(values).__name__,
            blame="the arguments of map",
            hint="use run() for a single one",
        )
    if on_error not in ("raise", "collect"):
        raise InputError("no such choice", expected='"raise" or "collect"', got=repr(on_error), blame="on_error=...")


@contextmanager
def reporting(progress: bool | ProgressCallback, title: str) -> Iterator[ProgressCallback]:
    """Yield where to report to: the caller's own function, a bar on a terminal for True, else nowhere."""
    if callable(progress):
        yield progress
    elif progress and sys.stderr.isatty():
        with _bar(title) as report:
            yield report
    else:
        yield ignore_progress


@contextmanager
def _bar(title: str) -> Iterator[ProgressCallback]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
