"""The plugin's hook: it hands each card to the loader that the card's options name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import cast

from metier_contracts import ConfigError, MetierError, Model, ModelCard, ModelLoadError, Placement, hookimpl

# By name and not by import: torch and OpenCV are imported when a model that needs them is loaded.
LOADERS: Mapping[str, str] = {
    "promptable": "metier_sam.trained",
    "segment-anything": "metier_sam.upstream",
    "transformers": "metier_sam.hub",
    "grabcut": "metier_sam.grab_cut",
}


@hookimpl
def metier_load(card: ModelCard, placement: Placement) -> Model:
    """Return the model of `card`, loaded from `placement.directory`.

    Raises:
        ConfigError: the card's options are not what its loader takes.
        UnsafeWeightsError: the weights need a full unpickler.
        ModelLoadError: the folder does not hold what the loader reads.
    """
    load = _loader(card)
    try:
        return load(card, placement)
    except MetierError:
        raise
    except Exception as error:
        raise ModelLoadError(
            f"{card.id} could not be loaded from {placement.directory}",
            expected=f"what the loader {card.options['loader']!r} reads",
            got=f"{type(error).__name__}: {error}",
            blame=f"the files there, or the card {card.id}",
        ) from error


def _loader(card: ModelCard) -> Callable[[ModelCard, Placement], Model]:
    name = str(card.options.get("loader"))
    if name not in LOADERS:
        raise ConfigError(
            f"the card {card.id} names no loader of the plugin sam",
            expected=f"options.loader = one of {', '.join(LOADERS)}",
            got=repr(name),
            blame=f"options of the card {card.id}",
        )
    return cast("Callable[[ModelCard, Placement], Model]", import_module(LOADERS[name]).load)
