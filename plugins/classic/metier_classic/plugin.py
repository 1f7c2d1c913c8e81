"""The plugin's hook: it hands each card to the loader that the card's options name."""

from __future__ import annotations

from collections.abc import Mapping

from metier_contracts import Model, ModelCard, Placement, hookimpl
from metier_contracts.authoring import load_by

# By name and not by import: scikit-learn is imported when a model that needs it is loaded.
LOADERS: Mapping[str, str] = {
    "rules": "metier_classic.rules",
    "tfidf": "metier_classic.tfidf",
    "tfidf-fitted": "metier_classic.fitted",
}


@hookimpl
def metier_load(card: ModelCard, placement: Placement) -> Model:
    """Return the model of `card`.

    Raises:
        ConfigError: the card's options are not what its loader takes.
        ModelLoadError: `placement.directory` does not hold what the loader reads.
    """
    return load_by(LOADERS, card, placement)
