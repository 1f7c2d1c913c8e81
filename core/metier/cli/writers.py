"""What `metier run` writes to a file beside what it prints: one function a task, which takes the flags for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from metier_contracts import InputError

Writer = Callable[[Any, Any], None]
"""Takes a request and its response."""

_USUAL = (".png", ".jpg", ".webp")


def no_file() -> Writer:
    """Write nothing."""
    return _nothing


def segment(
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Draw the masks over the image into this file.")
    ] = None,
) -> Writer:
    """Draw the masks over the image; what cannot be written is refused before any work is done."""
    if out is None:
        return _nothing
    kinds = _picture_kinds()
    if out.suffix.lower() not in kinds or not out.parent.is_dir():
        raise InputError(
            f"no picture can be written to {out}",
            expected=f"a folder that exists, and a name that ends in {', '.join(_USUAL)} or another that Pillow writes",
            got=f"the folder {out.parent}, the ending {out.suffix or 'none'!r}",
            blame="--out",
        )

    def write(request: Any, response: Any) -> None:
        from metier.cli.overlay import overlay

        try:
            overlay(request, response).save(out)
        except OSError as error:
            raise InputError(f"{out} cannot be written", expected="a file", got=str(error), blame="--out") from None

    return write


WRITERS: dict[str, Callable[..., Writer]] = {"segment": segment}


def _nothing(request: Any, response: Any) -> None:
    pass


def _picture_kinds() -> set[str]:
    import PIL.Image

    return {ending for ending, kind in PIL.Image.registered_extensions().items() if kind in PIL.Image.SAVE}
