"""A progress bar on the terminal, for a pull that takes time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

ProgressCallback = Callable[[int, int | None], None]


def ignore_progress(done: int, total: int | None) -> None:
    """Do nothing with the figures: the callback of a caller that did not ask to know."""


@contextmanager
def terminal_progress(description: str) -> Iterator[ProgressCallback]:
    """Yield a callback `(done bytes, total bytes or None)` that draws on standard error.

    It draws a bar where the total is known, a spinner where it is not, and nothing where standard error is no terminal.
    The first call draws, so a pull that finds everything in place shows nothing.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield ignore_progress
        return
    display = _Display(description)
    try:
        yield display.report
    finally:
        display.close()


class _Display:
    def __init__(self, description: str) -> None:
        self._description = description
        self._progress: Progress | None = None

    def report(self, done: int, total: int | None) -> None:
        if self._progress is None:
            self._progress = _start(self._description, known=total is not None)
        self._progress.update(self._progress.task_ids[0], completed=done, total=total)

    def close(self) -> None:
        if self._progress is not None:
            self._progress.stop()


def _start(description: str, *, known: bool) -> Progress:
    from rich.console import Console
    from rich.progress import Progress

    progress = Progress(*_columns(known), console=Console(stderr=True))
    # The description is data, and a model id may hold what rich takes for markup.
    progress.add_task(description.replace("[", r"\["), total=None)
    progress.start()
    return progress


def _columns(known: bool) -> list[ProgressColumn]:
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        SpinnerColumn,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    text = TextColumn("{task.description}")
    if known:
        return [text, BarColumn(), TaskProgressColumn(), DownloadColumn(), TimeRemainingColumn()]
    return [SpinnerColumn(), text, DownloadColumn()]
