"""The plugin's hook: it hands each card to the loader that the card's options name."""

from __future__ import annotations

from collections.abc import Mapping

from metier_contracts import Model, ModelCard, Placement, hookimpl
from metier_contracts.authoring import load_by

# By name and not by import: torch, transformers and the clients are imported when a model that needs them is loaded.
LOADERS: Mapping[str, str] = {
    "causal-lm": "metier_llm.causal_lm",
    "openai": "metier_llm.remote.openai_chat",
    "anthropic": "metier_llm.remote.anthropic_messages",
    "gemini": "metier_llm.remote.gemini",
}


@hookimpl
def metier_load(card: ModelCard, placement: Placement) -> Model:
    """Return the model of `card`, from `placement.directory` or behind the card's endpoint.

    Raises:
        ConfigError: the card's options are not what its loader takes.
        UnsafeWeightsError: the weights need a full unpickler.
        ModelLoadError: the folder does not hold what the loader reads.
    """
    return load_by(LOADERS, card, placement)
