"""`metier plugin list`: the plugins found, and where each is installed and runs."""

from __future__ import annotations

from metier.cli import options
from metier.cli.output import errors_to_exit_codes, print_json, print_table
from metier.config import load_settings
from metier.isolation import protection
from metier.plugins import discover

HELP = "List the plugins found, and where each runs. Also where each is installed; nothing is imported."


def plugins(as_json: options.Json = False) -> None:
    """List the plugins found."""
    with errors_to_exit_codes():
        config = load_settings().config
        rows = [
            {
                "plugin": record.name,
                "package": record.package,
                "version": record.version,
                "state": record.state,
                "runs": protection(record, config),
                "environment": None if record.environment is None else str(record.environment.folder),
            }
            for record in discover(config.isolation)
        ]
        if as_json:
            print_json(rows)
        else:
            print_table(
                ("plugin", "package", "version", "state", "runs", "environment"),
                [["metier's" if cell is None else cell for cell in row.values()] for row in rows],
            )
