"""Cards whose trained weights the tests cannot have, with a checkpoint of the same format in their place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from metier_contracts import ModelCard

from tests.support import checkpoints, series_checkpoints

# One card for each format that a loader reads; the others differ from it in size alone.
BUILDERS: Mapping[str, Callable[[Path], Path]] = {
    "sam-vit-b": checkpoints.segment_anything,
    "sam-vit-base": partial(checkpoints.transformers_model, kind="sam"),
    "sam2.1-hiera-tiny": partial(checkpoints.transformers_model, kind="sam2_video"),
    "chronos-2": series_checkpoints.chronos_2,
    "chronos-bolt-small": series_checkpoints.chronos_bolt,
    "chronos-t5-small": series_checkpoints.chronos,
    "timesfm-2.5-200m": series_checkpoints.timesfm,
}


def with_checkpoint(card: ModelCard, folder: Path) -> ModelCard:
    """Return the card with a checkpoint of its format, made in `folder`, as its source."""
    BUILDERS[card.id](folder)
    size = sum(path.stat().st_size for path in folder.iterdir())
    lax = checkpoints.LAX if card.plugin == "sam" else {}
    options = {**card.options, **lax}
    changes = {"source": f"path:{folder}", "sha256": None, "revision": None, "bytes": size, "options": options}
    return card.model_copy(update=changes)
