"""The plugin's hook: it hands each card to the loader that the card's options name."""

from __future__ import annotations

from collections.abc import Mapping

from metier_contracts import Model, ModelCard, ModelLoadError, Placement, hookimpl
from metier_contracts.authoring import load_by

# By name and not by import: torch and spaCy are imported when a model that needs them is loaded.
LOADERS: Mapping[str, str] = {
    "sentence-encoder": "metier_mlm.sentence_encoder",
    "sentence-head": "metier_mlm.sentence_head",
    "cross-encoder": "metier_mlm.cross_encoder",
    "sequence-classification": "metier_mlm.sequence_classifier",
    "nli": "metier_mlm.nli",
    "token-classification": "metier_mlm.token_classifier",
    "masked-lm": "metier_mlm.masked_lm",
    "spacy": "metier_mlm.spacy_pipeline",
}


@hookimpl
def metier_load(card: ModelCard, placement: Placement) -> Model:
    """Return the model of `card`, loaded from `placement.directory`.

    Raises:
        ConfigError: the card's options are not what its loader takes.
        UnsafeWeightsError: the weights need a full unpickler.
        ModelLoadError: the folder does not hold what the loader reads.
    """
    if placement.directory is None:
        raise ModelLoadError(
            f"no weights for {card.id}", expected="a folder", got="None", blame=f"`source` of the card {card.id}"
        )
    return load_by(LOADERS, card, placement)
