"""`metier pull`: fetch the weights of models."""

from __future__ import annotations

from typing import Annotated

import typer

from metier.cli import options
from metier.cli.output import errors_to_exit_codes, print_json
from metier.runtime import Runtime

HELP = "Fetch the weights of models, checked by sha256. They are kept in the user cache."


def pull(
    ids: Annotated[list[str], typer.Argument(metavar="ID", help="Ids from `metier models`.")],
    force: Annotated[bool, typer.Option("--force", help="Fetch again what is there already.")] = False,
    as_json: options.Json = False,
) -> None:
    """Fetch the weights of each model; whole or not at all."""
    from metier.weights import terminal_progress

    with errors_to_exit_codes(), Runtime() as runtime:
        folders = {}
        for model in ids:
            with terminal_progress(f"pull {model}") as progress:
                folders[model] = runtime.pull(model, force=force, progress=progress)
            if not as_json:
                typer.echo(f"{model}: {folders[model] or 'has no weights to pull'}")
        if as_json:
            print_json({model: None if folder is None else str(folder) for model, folder in folders.items()})
