"""`metier plugin uninstall`: remove a distribution with plugins."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Annotated

import typer
from metier_contracts import InputError

from metier.cli.output import errors_to_exit_codes, terminal_lines

HELP = "Remove a distribution with plugins: its own environment where it has one, else it from that of metier."


def uninstall(package: Annotated[str, typer.Argument(metavar="DIST", help="The name of the distribution.")]) -> None:
    """Remove a distribution with plugins."""
    from metier.environments import installer
    from metier.environments.making import remove_environment

    with errors_to_exit_codes(), terminal_lines(f"uninstall {package}") as report:
        if remove_environment(package):
            typer.echo(f"removed {package} and its environment")
        else:
            _require(package)
            installer.uninstall(package, Path(sys.executable), report)
            typer.echo(f"removed {package}")


def _require(package: str) -> None:
    """Raise `InputError` where no such distribution is installed beside metier: pip would only warn."""
    try:
        distribution(package)
    except PackageNotFoundError:
        raise InputError(
            f"no distribution {package!r} is installed",
            expected="one in an environment of its own, or in that of metier",
            got="neither",
            blame="the name given",
            hint="correct it; `metier plugin list` shows the packages of plugins",
        ) from None
