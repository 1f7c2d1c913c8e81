"""The hook, and the table of loaders."""

from __future__ import annotations

from metier_contracts import Model, ModelCard, Placement, hookimpl
from metier_contracts.authoring import load_by

LOADERS = {"texts": "metier_compat.texts", "series": "metier_compat.series"}


@hookimpl
def metier_load(card: ModelCard, placement: Placement) -> Model:
    return load_by(LOADERS, card, placement)
