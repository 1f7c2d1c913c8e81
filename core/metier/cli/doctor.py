"""`metier doctor`: the plugins, the settings and the devices found here."""

from __future__ import annotations

import platform
from typing import Annotated, Any

import typer
from metier_contracts import ModelCard

from metier.cli import options
from metier.cli.output import FAILED, errors_to_exit_codes, print_json, print_table
from metier.config import load_settings
from metier.devices import TorchDevices
from metier.fitted import unreadable_cards
from metier.keys import keys_of
from metier.memory import default_budget, format_bytes, machine_bytes
from metier.plugins.discovery import PluginRecord, discover
from metier.plugins.doctor import examine, torch_version

HELP = (
    "Check plugins, fitted models, devices and settings. Exit code 1 if one is broken; a plugin whose extra is missing "
    "is fine."
)


def doctor(
    config: Annotated[bool, typer.Option("--config", help="Print each setting with its origin instead.")] = False,
    as_json: options.Json = False,
) -> None:
    """Examine what is installed. Each plugin's import is tried in a child process."""
    with errors_to_exit_codes():
        if config:
            _print_settings(as_json)
            return
        records = examine(discover(load_settings().config.isolation))
        unreadable = unreadable_cards()
        machine = _machine()
        keys = keys_of(_cards(records))
        if as_json:
            plugins = [_as_json(record) for record in records]
            unread = [str(error) for error in unreadable]
            print_json({"machine": machine, "keys": keys, "plugins": plugins, "unreadable": unread})
        else:
            _print_report(records, machine)
            for variable, is_set in keys.items():
                typer.echo(
                    f"{variable}: {'set' if is_set else 'not set, so the remote models that need it do not work'}"
                )
            for error in unreadable:
                typer.echo(f"\n{error}")
    if unreadable or any(record.state == "quarantined" for record in records):
        raise typer.Exit(FAILED)


def _print_settings(as_json: bool) -> None:
    rows = load_settings().rows()
    if as_json:
        dumped = load_settings().config.model_dump(mode="json")
        print_json([{"setting": name, "value": dumped[name], "origin": origin} for name, _, origin in rows])
        return
    cells = [(name, [card.id for card in value] if name == "cards" else value, origin) for name, value, origin in rows]
    print_table(("setting", "value", "origin"), cells)


def _print_report(records: list[PluginRecord], machine: dict[str, Any]) -> None:
    print_table(
        ("plugin", "package", "version", "contract", "models", "state"),
        [
            (
                record.name,
                record.package,
                record.version,
                record.manifest.contract if record.manifest else "-",
                len(record.manifest.models) if record.manifest else "-",
                record.state,
            )
            for record in records
        ],
    )
    for record in records:
        if record.state != "ready":
            typer.echo(f"{record.name} ({record.package} {record.version}) is {record.state}")
            typer.echo(f"  cause: {record.cause}\n  fix:   {record.fix}\n")
    for name, value in machine.items():
        typer.echo(f"{name}: {value}")


def _cards(records: list[PluginRecord]) -> list[ModelCard]:
    """Return the cards of all plugins and of the settings."""
    cards = [card for record in records if record.manifest is not None for card in record.manifest.models]
    return [*cards, *load_settings().config.cards]


def _machine() -> dict[str, Any]:
    query = TorchDevices()
    cuda = [f"cuda:{index}" for index in range(query.cuda_count())]
    return {
        "python": platform.python_version(),
        "torch": torch_version() or "not installed",
        "devices": ", ".join(["cpu", *cuda, *(["mps"] if query.mps_available() else [])]),
        "memory": f"{format_bytes(machine_bytes())}, of which models may take {format_bytes(default_budget())}",
    }


def _as_json(record: PluginRecord) -> dict[str, Any]:
    manifest = record.manifest
    return {
        "name": record.name,
        "package": record.package,
        "version": record.version,
        "contract": manifest.contract if manifest else None,
        "state": record.state,
        "cause": record.cause,
        "fix": record.fix,
        "models": [card.id for card in manifest.models] if manifest else [],
        "environment": None if record.environment is None else str(record.environment.folder),
    }
