"""`metier plugin new`: write the distribution of a new plugin."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from metier.cli.output import errors_to_exit_codes

HELP = "Write the distribution of a new plugin. Its code, manifest, tests, CI and README work as they are."


def new(
    name: Annotated[str, typer.Argument(help="Of the distribution, the plugin and its model, such as acme-shout.")],
    task: Annotated[str, typer.Option(help="What its model serves.")] = "classify",
    template: Annotated[str, typer.Option(help="How the model is made: classic, torch, transformers or remote.")] = (
        "classic"
    ),
    into: Annotated[Path, typer.Option(help="The folder that the new one is put into.")] = Path(),
    author: Annotated[str | None, typer.Option(help="Who stands in its metadata and its licence.")] = None,
) -> None:
    """Write the distribution of a new plugin."""
    from metier.scaffold.project import new_plugin

    with errors_to_exit_codes():
        folder = new_plugin(name, task, template, into, author)
        typer.echo(f"wrote {folder}")
        typer.echo(f'next: cd {folder} && pip install -e ".[dev]" && pytest')
