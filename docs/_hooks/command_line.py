"""The commands, by their own `--help`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
from metier.cli import app

_WIDTH = 100


def command_line() -> str:
    """Return a section for each command and its help text."""
    return "\n\n".join(f"## {name}\n\n```text\n{text}\n```" for name, text in _helps(typer.main.get_command(app), None))


def _helps(command: Any, parent: Any) -> Iterator[tuple[str, str]]:
    settings = {**command.context_settings, "terminal_width": _WIDTH, "max_content_width": _WIDTH}
    context = command.context_class(command, parent, info_name=command.name, **settings)
    yield context.command_path, command.get_help(context)
    for child in getattr(command, "commands", {}).values():
        yield from _helps(child, context)
