"""Refusals: of requests that no loader serves, and of folders without a checkpoint."""

from __future__ import annotations

from pathlib import Path

from metier_contracts import (
    ModelCard,
    ModelLoadError,
    Placement,
    Request,
    Response,
    UnsupportedError,
)


def unsupported(request: Request[Response], card: ModelCard) -> UnsupportedError:
    """Return the error of a request that no loader of this plugin serves."""
    return UnsupportedError(
        f"{card.id} does not serve {type(request).__name__}",
        expected=f"a request for {', '.join(card.tasks)}",
        got=type(request).__name__,
        blame="the request, or the card's tasks",
    )


def weights_folder(card: ModelCard, placement: Placement, needed: str = "config.json") -> Path:
    """Return the folder of the weights; raise `ModelLoadError` where it holds no file `needed`."""
    folder = placement.directory
    if folder is not None and (folder / needed).is_file():
        return folder
    names = [] if folder is None else sorted(path.name for path in folder.iterdir())
    raise ModelLoadError(
        f"no checkpoint for {card.id}",
        expected=f"a folder that holds {needed} and weights in safetensors",
        got="no folder" if folder is None else ", ".join(names[:8]) or "an empty folder",
        blame=f"`source` of the card {card.id}",
    )
