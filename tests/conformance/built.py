"""The cards to check: on weights that can be had, on a checkpoint made here of the format of others, and fitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from metier.plugins import discover
from metier_contracts import CallContext, ClassifyFit, FitRequest, GraphFit, ModelCard, Placement

from tests.conformance.requests import EXAMPLES, RINGS, TIES
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
FITS: tuple[FitRequest, ...] = (
    GraphFit(id="fitted/gcn", graphs=[TIES], targets=np.arange(34) % 2, architecture="gcn", epochs=3),
    GraphFit(id="fitted/sage", graphs=RINGS, level="graph", values=[1, 2, 3], architecture="sage", epochs=3),
    GraphFit(id="fitted/gat", graphs=[TIES], values=np.arange(34), architecture="gat", epochs=3),
    GraphFit(id="fitted/gin", graphs=RINGS, level="graph", targets=[0, 1, 0], architecture="gin", epochs=3),
    GraphFit(id="fitted/edge", graphs=[TIES], level="edge", architecture="edge", epochs=3),
    ClassifyFit(id="fitted/tfidf", base="classic/tfidf", examples=EXAMPLES),
)
# Fewer steps of learning and fewer clicks on a picture than users would want.
QUICKER: Mapping[str, Mapping[str, Any]] = {
    "gnn/from-scratch": {"epochs": 5},
    "promptable": {"points_per_side": 4},
}
OWN = {
    card.id: card
    for record in discover()
    if record.package == "metier" and record.manifest is not None
    for card in record.manifest.models
}


def trained(card: ModelCard, _: Path) -> ModelCard:
    """Return the card with its own weights, where it is slow with options that make it less so."""
    return card.model_copy(update={"options": {**card.options, **QUICKER.get(card.id, {})}})


def with_checkpoint(card: ModelCard, folder: Path) -> ModelCard:
    """Return the card with a checkpoint of its format, made in `folder`, as its source."""
    BUILDERS[card.id](folder)
    size = sum(path.stat().st_size for path in folder.iterdir())
    lax = checkpoints.LAX if card.plugin == "sam" else {}
    options = {**card.options, **lax}
    changes = {"source": f"path:{folder}", "sha256": None, "revision": None, "bytes": size, "options": options}
    return card.model_copy(update=changes)


def fitted(fit: FitRequest, folder: Path) -> ModelCard:
    """Fit a model into `folder`; return its card."""
    base = OWN[fit.base or "gnn/from-scratch"]
    model: Any = import_module(f"metier_{base.plugin}.plugin").metier_load(card=base, placement=Placement())
    made: ModelCard = model.fit(fit, folder, CallContext())
    return made.model_copy(update={"source": f"path:{folder}"})


CARDS: Mapping[str, Callable[[Path], ModelCard]] = {
    **{card.id: partial(trained, card) for card in OWN.values() if card.verified == "here"},
    **{name: partial(with_checkpoint, OWN[name]) for name in BUILDERS},
    **{fit.id: partial(fitted, fit) for fit in FITS},
}
"""How the card of each model to check is made in a folder."""
