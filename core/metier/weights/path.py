"""`path:` sources: weights used where they lie, never copied and never removed."""

from __future__ import annotations

from pathlib import Path

from metier_contracts.card import ModelCard
from metier_contracts.errors import WeightsError

from metier.weights.checksum import card_digests, check_files
from metier.weights.source import PathSource, blame


def locate_path(source: PathSource) -> Path | None:
    """Return the folder of the weights (for a single file the one that holds it), or None where it is missing."""
    if not source.path.exists():
        return None
    return source.path.parent if source.is_file else source.path


def check_path(card: ModelCard, source: PathSource) -> Path:
    """Return the folder of the weights after comparing them with the digests on the card, if it has some."""
    folder = locate_path(source)
    if folder is None:
        raise WeightsError(
            f"the weights of {card.id} are missing",
            expected=f"a folder or file at {source.path}",
            got="nothing there",
            blame=blame(card),
            hint="put them there, or correct `source` on the card",
        )
    if card.sha256 is not None:
        check_files(card, folder, card_digests(card, _names(source)))
    return folder


def _names(source: PathSource) -> list[str]:
    if source.is_file:
        return [source.path.name]
    files = (path for path in source.path.rglob("*") if path.is_file())
    return sorted(path.relative_to(source.path).as_posix() for path in files)
