"""`metier plugin uninstall`: remove a distribution with plugins."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from metier_contracts import InputError

from metier.cli.output import errors_to_exit_codes, terminal_lines

HELP = "Remove a distribution with plugins. Where it has an environment of its own, that is removed."


def uninstall(package: Annotated[str, typer.Argument(metavar="DIST", help="The name of the distribution.")]) -> None:
    """Remove a distribution with plugins."""
    from metier.environments import installer
    from metier.environments.making import remove_environment

    with errors_to_exit_codes(), terminal_lines(f"uninstall {package}") as report:
        if remove_environment(package):
            typer.echo(f"removed {package} and its environment")
        else:
            _check_plugins(package)
            installer.uninstall(package, Path(sys.executable), report)
            typer.echo(f"removed {package}")


def _check_plugins(package: str) -> None:
    from metier.environments.environment import normalized
    from metier.plugins import discover

    beside = (record.package for record in discover() if record.environment is None)
    packages = [package for package in dict.fromkeys(beside) if package != "metier"]  # which would remove itself
    if normalized(package) not in map(normalized, packages):
        raise InputError(
            f"no distribution with plugins is called {package!r} here",
            expected=f"one of {', '.join(packages)}" if packages else "one that is installed",
            got=repr(package),
            blame="DIST",
            hint="`metier plugin list` names the distribution of each plugin",
        )
