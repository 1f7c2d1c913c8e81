"""The folder of a card's weights."""

from __future__ import annotations

from pathlib import Path

from metier_contracts import (
    ModelCard,
    ModelLoadError,
    Placement,
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
