"""`metier inspect`: the picture of a saved pipeline, or all that is known of a model."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from metier_contracts import InputError

from metier.cli import options
from metier.cli.models import as_row
from metier.cli.output import errors_to_exit_codes, print_drawing, print_json, print_table
from metier.pipeline import Step, load_pipeline
from metier.runtime import Runtime

HELP = (
    "Show a saved pipeline as a tree, or all that a card says. The pipeline is FILE.yaml, and its types are checked; "
    "the card is that of a model's id."
)
_STEPS = (
    "Where named steps are: MODULE, or MODULE:NAME of a step, a list of steps or a pipeline; and of a record "
    "owner/name@version=MODULE:NAME. May be given again. Installed ones need no such word."
)


def inspect(
    target: Annotated[str, typer.Argument(metavar="FILE.yaml|MODEL", help="The file, or the model's id.")],
    steps: Annotated[list[str] | None, typer.Option(help=_STEPS)] = None,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="Print a flowchart in the language of Mermaid.")] = False,
    as_json: options.Json = False,
) -> None:
    """Load the pipeline and show it, or show the card."""
    with errors_to_exit_codes():
        if not target.endswith((".yaml", ".yml")):
            if steps or mermaid:
                raise InputError(
                    f"{target!r} is no file of a pipeline",
                    expected="FILE.yaml, for --steps and --mermaid",
                    got=repr(target),
                    blame="the argument",
                )
            _show_card(target, as_json)
            return
        named, records = _named(steps or [])
        pipeline = load_pipeline(target, steps=named, records=records)
        if as_json:
            print_json(_as_json(pipeline, records))
        elif mermaid:
            typer.echo(pipeline.to_mermaid(), nl=False)
        else:
            print_drawing(pipeline)


def _show_card(model: str, as_json: bool) -> None:
    with Runtime() as runtime:
        row = as_row(runtime.model(model))
    if as_json:
        print_json(row)
    else:
        print_table(("field", "value"), [item for item in row.items() if item[1] not in (None, "")])


def _as_json(pipeline: Step[Any, Any], records: dict[str, Any]) -> dict[str, Any]:
    from metier.pipeline.saving import document
    from metier.pipeline.tree import signature

    return {"signature": signature(pipeline), **document(pipeline, records)}


def _named(words: list[str]) -> tuple[list[Step[Any, Any]], dict[str, Any]]:
    """Return the steps, and the records by name, that the words of --steps tell of."""
    steps: list[Step[Any, Any]] = []
    records: dict[str, Any] = {}
    for word in words:
        name, _, place = word.rpartition("=")
        found = _imported(place, word)
        if name:
            records[name] = found
        else:
            steps += [found] if isinstance(found, Step) else _steps_among(found, word)
    return steps, records


def _steps_among(found: Any, word: str) -> list[Step[Any, Any]]:
    members = list(found) if isinstance(found, list | tuple) else list(getattr(found, "__dict__", {}).values())
    steps = [member for member in members if isinstance(member, Step)]
    if not steps:
        raise _unusable(word, f"{type(found).__name__} without steps")
    return steps


def _imported(place: str, word: str) -> Any:
    module, _, attribute = place.partition(":")
    if "" not in sys.path:
        sys.path.insert(0, "")  # modules of the current folder, as with python -m
    try:
        found = import_module(module)
        return getattr(found, attribute) if attribute else found
    except Exception as error:
        raise _unusable(word, f"{type(error).__name__}: {error}") from error


def _unusable(word: str, got: str) -> InputError:
    return InputError(
        f"--steps {word} gives no steps",
        expected="MODULE, MODULE:NAME, or owner/name@version=MODULE:NAME, in this folder or installed",
        got=got,
        blame="--steps",
    )
