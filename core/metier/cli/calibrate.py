"""`metier calibrate`: measure the models of this machine."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from metier_contracts import Classify, InputError, ModelCard

from metier.cli import options, profiles
from metier.cli.output import FAILED, errors_to_exit_codes, print_json
from metier.cli.tables import read_labelled_texts
from metier.runtime import Runtime

if TYPE_CHECKING:
    from metier.decision.book import ProfileBook
    from metier.decision.calibrate import Calibrator, Outcome
    from metier.decision.sample import Judge

HELP = (
    "Measure what the models of this machine take. Seconds to load, latency by size and by batch, memory, tokens a "
    "second. Without MODEL: every local model whose weights are here. A remote model is measured only where it is "
    'named and the settings allow it (privacy = "any"), since each call costs money. What is measured is kept at once; '
    "another run goes on where one was stopped."
)

Models = Annotated[list[str] | None, typer.Argument(metavar="MODEL", help="Ids from `metier models`.")]
Task = Annotated[str | None, typer.Option(help="Only this task.")]
Quick = Annotated[bool, typer.Option("--quick", help="Spend seconds on a model in place of a minute.")]
Again = Annotated[bool, typer.Option("--again", help="Measure anew what is measured already.")]
Pull = Annotated[bool, typer.Option("--pull", help="Fetch weights that are not here.")]
Sample = Annotated[
    Path | None, typer.Option(help="A CSV file with the columns text and label: measure how well models do on it.")
]


def calibrate(
    models: Models = None,
    task: Task = None,
    quick: Quick = False,
    again: Again = False,
    pull: Pull = False,
    sample: Sample = None,
    as_json: options.Json = False,
) -> None:
    """Measure models, and print what was found."""
    from metier.decision.book import ProfileBook
    from metier.decision.calibrate import Calibrator, choose
    from metier.decision.measure import QUICK, THOROUGH
    from metier.decision.sample import Judge

    with errors_to_exit_codes(), Runtime() as runtime:
        book = ProfileBook.of(runtime.config, runtime.tasks)
        effort = QUICK if quick else THOROUGH
        worker: Calibrator | Judge
        if sample is None:
            worker = Calibrator(runtime, book.store, effort, task, again, machine=book.machine)
        else:
            task = _only_classify(task)
            worker = Judge(runtime, book.store, read_labelled_texts(sample), again)
        cards, left_out = choose(runtime, models or (), task, pull=pull)
        found, interrupted = _performed(cards, worker.run)
        outcomes = [*found, *left_out]
        if as_json:
            print_json([_as_json(outcome, book) for outcome in outcomes])
        else:
            _print(outcomes, book)
    bad = {"failed", "left out"} if models else {"failed"}
    if interrupted or any(outcome.status in bad for outcome in outcomes):
        raise typer.Exit(FAILED)


def _only_classify(task: str | None) -> str:
    if task in (None, Classify.task):
        return Classify.task
    raise InputError(
        "a sample of labelled texts measures classify alone",
        expected=f"--task {Classify.task}",
        got=f"--task {task}",
        blame="--sample beside --task",
    )


def _performed(cards: Sequence[ModelCard], run: Callable[[ModelCard], Iterator[Outcome]]) -> tuple[list[Outcome], bool]:
    """Measure the models, telling failures at once; return the outcomes, and whether the user stopped it."""
    outcomes: list[Outcome] = []
    with _progress(len(cards)) as advance:
        try:
            for card in cards:
                advance(card.id, 0)
                for outcome in run(card):
                    outcomes.append(outcome)
                    if outcome.status == "failed":
                        typer.echo(f"{card.id}, {outcome.task}: {outcome.reason}", err=True)
                advance(card.id, 1)
        except KeyboardInterrupt:
            typer.echo("interrupted: what is measured is kept, and the same command goes on from there", err=True)
            return outcomes, True
    return outcomes, False


@contextmanager
def _progress(total: int) -> Iterator[Callable[[str, int], None]]:
    """Yield a function of (what is measured now, how many are done besides) that draws on a terminal."""
    if not sys.stderr.isatty():
        yield _draw_nothing
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        # Ids are data, and may hold what rich takes for markup.
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        row = bar.add_task("", total=total)
        yield lambda description, done: bar.update(row, description=description, advance=done)


def _draw_nothing(description: str, done: int) -> None:
    """Draw nothing: standard error is no terminal."""


def _print(outcomes: Sequence[Outcome], book: ProfileBook) -> None:
    measured = [book.priced(outcome.profile, outcome.card) for outcome in outcomes if outcome.profile is not None]
    if measured:
        profiles.print_profiles(measured)
    judged = [outcome.quality for outcome in outcomes if outcome.quality is not None]
    if judged:
        profiles.print_qualities(judged)
    reasons: dict[str, list[str]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.status == "left out":
            reasons[outcome.reason].append(outcome.card.id)
    for reason, ids in reasons.items():
        typer.echo(f"left out ({reason}): {', '.join(dict.fromkeys(ids))}")


def _as_json(outcome: Outcome, book: ProfileBook) -> dict[str, Any]:
    profile, quality = outcome.profile, outcome.quality
    return {
        "model": outcome.card.id,
        "task": outcome.task,
        "status": outcome.status,
        "reason": outcome.reason,
        "profile": None if profile is None else profiles.as_json(book.priced(profile, outcome.card)),
        "quality": None if quality is None else quality.model_dump(mode="json"),
    }
