"""`metier plugin install`: install a distribution with plugins, here or in an environment of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from metier.cli.output import errors_to_exit_codes, terminal_lines
from metier.environments import Environment

HELP = (
    "Install a distribution with plugins. By pip, or by uv where there is no pip: into the environment of metier, or "
    "into one of its own."
)


def install(
    requirement: Annotated[
        str, typer.Argument(metavar="DIST", help="What pip takes: a name, NAME==VERSION, a wheel, a folder or a URL.")
    ],
    isolated: Annotated[
        bool, typer.Option("--isolated", help="Make an environment of its own for it, in which its plugins run.")
    ] = False,
) -> None:
    """Install a distribution with plugins; whole or not at all."""
    with errors_to_exit_codes(), terminal_lines(f"install {requirement}") as report:
        if isolated:
            from metier.environments.making import make_environment

            _tell(make_environment(requirement, report))
        else:
            from metier.environments import installer

            installer.install([requirement], Path(sys.executable), report)
            typer.echo(f"installed {requirement} beside metier; `metier plugin list` shows its plugins")


def _tell(made: Environment) -> None:
    from metier.plugins.discovery import inspect_entry_point

    typer.echo(f"{made.package}: {', '.join(made.plugins)} in {made.folder}")
    for name, point in made.entry_points().items():
        if tasks := inspect_entry_point(point, made).tasks_absent_here():
            typer.echo(f"to make requests of {', '.join(tasks)}, which it brings, install it here too: {made.bare}")
            typer.echo(f'and keep its models there, in metier.toml: isolation = {{ {name} = "venv" }}')
