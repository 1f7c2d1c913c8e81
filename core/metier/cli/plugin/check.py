"""`metier plugin check`: the conformance kit on an installed plugin."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from metier.cli.output import FAILED, errors_to_exit_codes, print_table, writing

if TYPE_CHECKING:
    from metier.testing import Report, Result

HELP = "Check an installed plugin against the contract. Exit code 1 if it does not conform."


def check(
    distribution: Annotated[str, typer.Argument(help="The name of a plugin, or of a distribution that holds some.")],
    model: Annotated[
        list[str] | None,
        typer.Option("--model", "-m", help="Check this model alone, and pull it if need be. Can be repeated."),
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the report into this file, as JSON.")] = None,
    markdown: Annotated[
        Path | None, typer.Option(help="Write the report into this file, to paste into a README.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings and needless overrides fail too.")] = False,
    timeout: Annotated[float, typer.Option(help="A check that takes more seconds has failed.", min=1)] = 120.0,
) -> None:
    """Load each model in a child process and try it by the kit of this version of the contract."""
    from metier.testing import check_plugin

    with errors_to_exit_codes():
        report = check_plugin(distribution, cards=model, strict=strict, timeout=timeout)
        _print(report)
        if json_file is not None:
            with writing(json_file, "--json"):
                json_file.write_text(report.to_json(), encoding="utf-8")
        if markdown is not None:
            with writing(markdown, "--markdown"):
                markdown.write_text(report.to_markdown(), encoding="utf-8")
    if not report.ok:
        raise typer.Exit(FAILED)


def _print(report: Report) -> None:
    made = [one for one in report.results if not one.blocked]
    print_table(
        ("model", "check", "outcome", ""), [(one.model or one.plugin, one.check, one.status, _why(one)) for one in made]
    )
    if blocked := len(report.results) - len(made):
        typer.echo(f"not made, since they need one that did not pass: {blocked}")
    for failure in report.failures:
        typer.echo(f"\n{failure}")
    for note in report.notes:
        typer.echo(f"note: {note}")
    verdict = "conforms" if report.ok else "does not conform"
    typer.echo(f"{report.package} {report.version} {verdict} to the contract {report.contract}")


def _why(result: Result) -> str:
    """Return what stands beside an outcome; of a failure nothing, since all is said of it below the table."""
    return "" if result.status == "failed" else result.reason or result.detail
