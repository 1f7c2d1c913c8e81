"""`metier models`: every model known here."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from metier.cli import options, profiles
from metier.cli.output import errors_to_exit_codes, print_json, print_table
from metier.keys import key_set
from metier.memory import format_bytes
from metier.runtime import ModelInfo, Runtime

HELP = "List every model known here. They are those of plugins and of metier.toml, and fitted ones."


def models(
    task: Annotated[str | None, typer.Option(help="Only models that serve this task.")] = None,
    profile: Annotated[
        bool, typer.Option("--profile", help="Show what each takes: as measured here, else reckoned from its card.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """List the models; no plugin is imported for it."""
    with errors_to_exit_codes(), Runtime() as runtime:
        if task is not None:
            runtime.tasks.require(task)
        rows = [info for info in runtime.models() if task is None or task in info.card.tasks]
        if profile:
            _print_profiles(rows, runtime, task, as_json=as_json)
        elif as_json:
            print_json([as_row(info) for info in rows])
        else:
            print_table(
                ("id", "tasks", "kind", "plugin", "size", "weights", "checked", "licence", "state"), _cells(rows)
            )


def _print_profiles(rows: list[ModelInfo], runtime: Runtime, task: str | None, *, as_json: bool) -> None:
    from metier.decision.book import ProfileBook

    book = ProfileBook.of(runtime.config, runtime.tasks)
    found = [
        profile
        for info in rows
        for name in info.card.tasks
        if task in (None, name)
        for profile in book.measured(info.card, name) or [book.profile(info.card, name)]
    ]
    if as_json:
        print_json([profiles.as_json(profile) for profile in found])
    else:
        profiles.print_profiles(found)


def _cells(rows: list[ModelInfo]) -> list[list[object]]:
    return [
        [
            info.card.id,
            ", ".join(f"{task}*" if table.default else task for task, table in info.card.tasks.items()),
            info.card.architecture,
            info.card.plugin,
            format_bytes(info.card.bytes) if info.card.bytes else "-",
            _weights(info),
            "here" if info.card.verified == "here" else "format only",
            info.card.licence,
            info.state if not info.fix else f"{info.state}: {info.fix}",
        ]
        for info in rows
    ]


def _weights(info: ModelInfo) -> str:
    if info.card.remote:
        return "remote" if key_set(info.card) is not False else f"remote, {info.card.key_env} is not set"
    if info.card.source is None:
        return "none needed"
    return "pulled" if info.pulled else f"metier pull {info.card.id}"


def as_row(info: ModelInfo) -> dict[str, Any]:
    """Return all that is known of a model: its card, and what this machine has of it."""
    return {
        **info.card.model_dump(mode="json", exclude_none=True),
        "origin": info.origin,
        "state": info.state,
        "fix": info.fix,
        "pulled": info.pulled,
        "key_set": key_set(info.card),
    }
