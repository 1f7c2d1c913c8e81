"""The plugin's hook: it hands each card to the loader that the card's options name."""

from __future__ import annotations

from collections.abc import Mapping

from metier_contracts import Model, ModelCard, Placement, hookimpl
from metier_contracts.authoring import load_by

# By name and not by import: torch and PyG are imported when a model that needs them is loaded.
LOADERS: Mapping[str, str] = {
    "from-scratch": "metier_gnn.from_scratch",
    "network": "metier_gnn.fitted",
    "adamic-adar": "metier_gnn.adamic_adar",
    "chemprop": "metier_gnn.chemprop",
}


@hookimpl
def metier_load(card: ModelCard, placement: Placement) -> Model:
    """Return the model of `card`, loaded from `placement.directory`.

    Raises:
        ConfigError: the card's options are not what its loader takes.
        ModelLoadError: the folder does not hold what the loader reads.
    """
    return load_by(LOADERS, card, placement)
