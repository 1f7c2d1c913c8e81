"""The hooks that a plugin implements."""

from __future__ import annotations

import pluggy

from metier_contracts.card import ModelCard
from metier_contracts.model import Model, Placement

PROJECT = "metier"
ENTRY_POINT_GROUP = "metier.plugins"
MANIFEST_NAME = "metier-plugin.toml"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Hooks:
    """The hook specifications."""

    @hookspec(firstresult=True)
    def metier_load(self, card: ModelCard, placement: Placement) -> Model:  # type: ignore[empty-body]
        """Return the model of `card`, loaded where `placement` says. Called on the card's own plugin alone."""
