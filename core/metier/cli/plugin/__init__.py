"""`metier plugin`: write and look after plugins."""

from __future__ import annotations

import typer

from metier.cli.plugin import check, new

app = typer.Typer(help="Write and look after plugins.", no_args_is_help=True, rich_markup_mode=None)
app.command("new", help=new.HELP)(new.new)
app.command("check", help=check.HELP)(check.check)


@app.callback()
def plugin() -> None:
    """Write and look after plugins."""
