"""`metier bench`: what metier claims, measured on this machine."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from metier_contracts import InputError

from metier.cli import options
from metier.cli.output import errors_to_exit_codes, print_json, print_table, writing
from metier.config import Privacy
from metier.runtime import Runtime

app = typer.Typer(help="Measure on this machine what metier claims.", no_args_is_help=True, rich_markup_mode=None)

LANGUAGE_MODEL = "smollm2-135m-instruct"
SPECIALISTS: Mapping[str, str] = {
    "classify": "all-MiniLM-L6-v2",
    "extract": "en-core-web-sm",
    "forecast": "theta",
    "graph-score": "gnn/from-scratch",
}
CLAIMS_HELP = """Compare a language model with specialists.

All get the same labelled work. Prints seconds, money and quality of each with intervals of 95 %, beside what a trivial
rule gives, and how many times cheaper the specialist is. The language model answers in the way that did best on other
items, one by one or together, whichever is quicker. What is fitted stays on this machine, under the ids
claims/sentiment and claims/sections."""


@app.callback()
def bench() -> None:
    """Measure on this machine what metier claims."""


@app.command("claims", help=CLAIMS_HELP)
def claims(
    language_model: Annotated[str, typer.Option(help="The id of the language model.")] = LANGUAGE_MODEL,
    specialist: Annotated[
        list[str] | None, typer.Option(help="Another specialist than the default, as TASK=ID; repeat it.")
    ] = None,
    task: Annotated[
        list[str] | None, typer.Option(help=f"Only this work: {', '.join(SPECIALISTS)}; repeat it.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A few items: a trial, too few to conclude from.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write the whole ledger, answers too, to this JSON file.")] = None,
    privacy: Annotated[str | None, typer.Option(help='"any" lets the language model be a remote one.')] = None,
    device: options.Device = None,
    offline: options.Offline = False,
    as_json: options.Json = False,
) -> None:
    """Measure and print the ledger."""
    with errors_to_exit_codes():
        chosen = {**SPECIALISTS, **dict(_pair(text) for text in specialist or ())}
        tasks = [_known(name) for name in task or SPECIALISTS]
        with (
            Runtime(device=device, offline=offline or None, privacy=_privacy(privacy)) as runtime,
            _reporting() as report,
        ):
            ledger = _measured(runtime, language_model, {name: chosen[name] for name in tasks}, quick, report)
        if as_json:
            print_json(ledger)
        else:
            _print(ledger)
        if out is not None:
            with writing(out, "--out"):
                out.write_text(json.dumps(ledger, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _measured(
    runtime: Runtime, language_model: str, specialists: Mapping[str, str], quick: bool, report: Callable[[str], None]
) -> dict[str, Any]:
    from metier.claims.bench import FULL, QUICK, measured
    from metier.decision.machine import this_machine

    found = list(measured(runtime, language_model, specialists, QUICK if quick else FULL, report))
    return {
        "title": "Claims: a language model beside specialists",
        "date": datetime.now(UTC).date().isoformat(),
        "command": f"{_threads()}metier {' '.join(sys.argv[1:])}",
        "language_model": language_model,
        "quick": quick,
        "machine": this_machine().model_dump(mode="json", exclude_none=True),
        "claims": [one.to_json() for one in found],
    }


def _threads() -> str:
    given = os.environ.get("OMP_NUM_THREADS")
    return f"OMP_NUM_THREADS={given} " if given else ""


def _pair(text: str) -> tuple[str, str]:
    name, _, model = text.partition("=")
    if not model:
        raise InputError("no such specialist", expected="TASK=ID", got=repr(text), blame="--specialist")
    return _known(name), model


def _known(name: str) -> str:
    if name not in SPECIALISTS:
        raise InputError(
            "the ledger has no such work",
            expected=", ".join(SPECIALISTS),
            got=repr(name),
            blame="--task or --specialist",
        )
    return name


def _privacy(given: str | None) -> Privacy | None:
    match given:
        case None | "local" | "any":
            return given
    raise InputError("no such privacy", expected="local or any", got=repr(given), blame="--privacy")


@contextmanager
def _reporting() -> Iterator[Callable[[str], None]]:
    """Yield where to say what is going on: a spinner on a terminal, else nowhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("") as status:
        yield status.update


def _print(ledger: Mapping[str, Any]) -> None:
    from metier.claims.tables import COLUMNS, cells, notes

    for claim in ledger["claims"]:
        print_table(
            COLUMNS, cells(claim), title=f"{claim['title']} ({claim['items']} items in {claim['rounds']} rounds)"
        )
        for line in notes(claim):
            typer.echo(f"  {line}")
        typer.echo()
    if ledger["quick"]:
        typer.echo("This was a trial on a few items: too few to conclude anything from.")
