"""What commands print: tables for people, JSON for programs, errors with an exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from metier_contracts import InputError, MetierError, StorageError, UnknownModelError

FAILED = 1
BAD_USAGE = 2
_PIPE_WIDTH = 400


@contextmanager
def errors_to_exit_codes() -> Iterator[None]:
    """Print a `MetierError` on stderr and exit: 2 where the caller's words are off, 1 where the work failed."""
    try:
        yield
    except MetierError as error:
        notes = "".join(f"\n  {note}" for note in getattr(error, "__notes__", ()))
        typer.echo(f"metier: {error}{notes}", err=True)
        raise typer.Exit(BAD_USAGE if isinstance(error, InputError | UnknownModelError) else FAILED) from None


@contextmanager
def writing(file: Path, flag: str) -> Iterator[None]:
    """Raise what keeps the block from writing the file that a flag names as a `StorageError`."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{file} cannot be written",
            expected="a file that can be written, in a folder that is there",
            got=str(error),
            blame=flag,
            hint="name another file",
        ) from None


@contextmanager
def terminal_lines(description: str) -> Iterator[Callable[[str], None]]:
    """Yield a callback that shows the last line it was given on standard error, where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status(escape(description)) as status:
        yield lambda line: status.update(f"{escape(description)}: {escape(line)}")


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str | None = None) -> None:
    """Print a table: fitted to a terminal, and one whole line a row in a pipe."""
    from rich import box
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    terminal = sys.stdout.isatty()
    folding = [Column(name, overflow="fold") for name in columns]  # a figure that is cut off would be another figure
    table = Table(
        *folding,
        title=None if title is None else Text(title),
        box=box.SIMPLE_HEAD if terminal else None,
        title_justify="left",
    )
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    Console(width=None if terminal else _PIPE_WIDTH).print(table, soft_wrap=not terminal)


def print_drawing(drawing: Any) -> None:
    """Print what rich draws: fitted to a terminal, wide in a pipe."""
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH).print(drawing)
