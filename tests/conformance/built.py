"""Cards whose weights are made here: a checkpoint of the format of weights that cannot be had, or a fitted model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from metier.plugins import discover
from metier_contracts import CallContext, Capabilities, ClassifyFit, FitRequest, GraphFit, ModelCard, Placement

from tests.conformance.requests import EXAMPLES, MOLECULES, TIES
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
    "qwen2.5-0.5b-instruct": partial(checkpoints.causal, kind="qwen2"),
    "qwen3-30b-a3b-instruct-2507": partial(checkpoints.causal, kind="qwen3_moe"),
}


# What is fitted: for each architecture and level of the graph networks, and by words alone.
FITS: Mapping[str, FitRequest] = {
    request.id: request
    for request in (
        GraphFit(id="fitted/gcn", graphs=[TIES], targets=np.arange(34) % 2, architecture="gcn", epochs=3),
        GraphFit(id="fitted/sage", graphs=MOLECULES, level="graph", values=[1, 2, 3], architecture="sage", epochs=3),
        GraphFit(id="fitted/gat", graphs=[TIES], values=np.arange(34), architecture="gat", epochs=3),
        GraphFit(id="fitted/gin", graphs=MOLECULES, level="graph", targets=[0, 1, 0], architecture="gin", epochs=3),
        GraphFit(id="fitted/edge", graphs=[TIES], level="edge", architecture="edge", epochs=3),
        ClassifyFit(id="fitted/tfidf", base="classic/tfidf", examples=EXAMPLES),
    )
}


def fitted_cards() -> list[ModelCard]:
    """Return the card of each fitted model before it is fitted: its base's, under its own id and level."""
    bases = {card.id: card for record in discover() if record.manifest for card in record.manifest.models}
    return [
        bases[fit.base or "gnn/from-scratch"].model_copy(update={"id": fit.id, "tasks": {fit.task: _ability(fit)}})
        for fit in FITS.values()
    ]


def _ability(fit: FitRequest) -> Capabilities:
    if isinstance(fit, GraphFit):
        return Capabilities(levels=(fit.level,))
    return Capabilities(labels=EXAMPLES.labels)


def fitted(card: ModelCard, folder: Path) -> ModelCard:
    """Fit the model of a card into `folder`; return the card of what was fitted."""
    model: Any = import_module(f"metier_{card.plugin}.plugin").metier_load(card=card, placement=Placement())
    made: ModelCard = model.fit(FITS[card.id], folder, CallContext())
    return made.model_copy(update={"source": f"path:{folder}"})


def with_checkpoint(card: ModelCard, folder: Path) -> ModelCard:
    """Return the card with a checkpoint of its format, made in `folder`, as its source."""
    BUILDERS[card.id](folder)
    size = sum(path.stat().st_size for path in folder.iterdir())
    lax = checkpoints.LAX if card.plugin == "sam" else {}
    options = {**card.options, **lax}
    changes = {"source": f"path:{folder}", "sha256": None, "revision": None, "bytes": size, "options": options}
    return card.model_copy(update=changes)
