"""`metier doctor`: the plugins, the weights, the settings and the machine, and what to type where one is not right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from metier.cli import options
from metier.cli.output import FAILED, errors_to_exit_codes, print_json, print_table
from metier.config import check_defaults, load_settings
from metier.tasks import Tasks

if TYPE_CHECKING:
    from metier.doctor import Report
    from metier.doctor.weights import ModelWeights
    from metier.plugins.discovery import PluginRecord

HELP = (
    "Check plugins, weights, devices and settings. Also what plugins require, fitted models, keys and .pth files. Exit "
    "code 1 if something is broken; a plugin whose extra is missing is fine."
)


def doctor(
    config: Annotated[bool, typer.Option("--config", help="Print each setting with its origin instead.")] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare the sha256 of every file of the weights, not of suspects alone.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Examine what is installed. Each plugin's import is tried in a child process."""
    from metier.doctor import examine_all

    with errors_to_exit_codes():
        if config:
            _print_settings(as_json)
            return
        report = examine_all(verify=verify)
        if as_json:
            print_json(report.as_json())
        else:
            _print_report(report)
    if report.broken:
        raise typer.Exit(FAILED)


def _print_settings(as_json: bool) -> None:
    settings = load_settings()
    check_defaults(settings, Tasks.installed())
    rows = settings.rows()
    if as_json:
        dumped = settings.config.model_dump(mode="json")
        print_json([{"setting": name, "value": dumped[name], "origin": origin} for name, _, origin in rows])
        return
    cells = [(name, [card.id for card in value] if name == "cards" else value, origin) for name, value, origin in rows]
    print_table(("setting", "value", "origin"), cells)


def _print_report(report: Report) -> None:
    _print_plugins(report)
    _print_list("requirements that are not met:", report.conflicts)
    _print_weights(report.weights)
    for name, value in report.machine.items():
        typer.echo(f"{name}: {value}")
    if report.gpus is not None:
        typer.echo(f"unused: {report.gpus}")
    for variable, is_set in report.keys.items():
        typer.echo(f"{variable}: {'set' if is_set else 'not set, so the remote models that need it do not work'}")
    _print_list(".pth files that run code:", [file for file in report.startup if file.code])
    if quiet := sum(not file.code for file in report.startup):
        typer.echo(f".pth files that only add paths: {quiet}")
    for error in report.unreadable:
        typer.echo(f"\n{error}")


def _print_plugins(report: Report) -> None:
    columns = ("plugin", "package", "version", "contract", "models", "licences", "runs", "state")
    print_table(columns, [_row(record, report.isolation[record.name]) for record in report.plugins])
    for record in report.plugins:
        if record.state != "ready":
            typer.echo(f"{record.name} ({record.package} {record.version}) is {record.state}")
            typer.echo(f"  cause: {record.cause}\n  fix:   {record.fix}\n")
    for model, tasks in report.strangers.items():
        typer.echo(f"{model} serves {', '.join(tasks)}, which no plugin here brings: it serves once that is installed")
    if unprotected := [record.name for record in report.plugins if report.isolation[record.name] == "inproc"]:
        typer.echo(f"unprotected, since they run in the process of the program: {', '.join(unprotected)}")


def _row(record: PluginRecord, isolation: str) -> tuple[object, ...]:
    manifest = record.manifest
    return (
        record.name,
        record.package,
        record.version,
        manifest.contract if manifest else "-",
        len(manifest.models) if manifest else "-",
        _counted(card.licence for card in manifest.models) if manifest else "-",
        isolation,
        record.state,
    )


def _print_weights(weights: Iterable[ModelWeights]) -> None:
    states = Counter(each.state for each in weights)
    typer.echo("weights: " + (", ".join(f"{states[state]} {state}" for state in sorted(states)) or "no models"))
    for each in weights:
        if each.state == "altered":
            typer.echo(f"  {each.model} is altered: {', '.join(each.altered)}\n    fix: {each.fix}")
    forbidden = [f"{each.model} ({each.licence})" for each in weights if not each.allowed]
    if forbidden:
        typer.echo(f"not used, since licence_policy does not allow their licences: {', '.join(forbidden)}")


def _print_list(title: str, lines: Iterable[object]) -> None:
    shown = list(lines)
    if shown:
        typer.echo("\n".join([title, *(f"  {line}" for line in shown)]))


def _counted(values: Iterable[str]) -> str:
    counts = Counter(values)
    return ", ".join(f"{value} ({count})" if len(counts) > 1 else value for value, count in counts.items()) or "-"
