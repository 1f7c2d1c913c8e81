"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Model = Annotated[str | None, typer.Option("--model", "-m", help="The model's id; by default metier chooses.")]
Deadline = Annotated[float | None, typer.Option(help="Give up after so many seconds.")]
MaxCost = Annotated[float | None, typer.Option(help="Send nothing that could cost more US dollars than this.")]
Device = Annotated[str | None, typer.Option(help="auto, cpu, cuda:N or mps.")]
Offline = Annotated[bool, typer.Option("--offline", help="Never open a socket, not even to pull weights.")]
