"""The protocols of a model, and the hook that loads one."""

from pathlib import Path
from typing import Any

import pluggy
import pytest
from metier_contracts import FittableModel, Model, PlacedModel, Placement, StreamingModel, hookimpl
from metier_contracts.hooks import ENTRY_POINT_GROUP, MANIFEST_NAME, PROJECT, Hooks

from .samples.cards import CARD


class Least:
    def infer(self, requests: Any, context: Any) -> list[Any]:
        return []

    def resident_bytes(self) -> int:
        return 0

    def close(self) -> None:
        pass


class Streaming(Least):
    def stream(self, request: Any, context: Any) -> Any:
        yield from ()


class Fittable(Least):
    def fit(self, request: Any, directory: Path, context: Any) -> Any:
        return CARD


class Placed(Least):
    device = "cuda:0"
    dtype = "bfloat16"


@pytest.mark.parametrize(
    ("model", "protocols"),
    [
        (Least(), {Model}),
        (Streaming(), {Model, StreamingModel}),
        (Fittable(), {Model, FittableModel}),
        (Placed(), {Model, PlacedModel}),
        (object(), set()),
    ],
)
def test_a_model_is_what_it_offers(model: Any, protocols: set[type]) -> None:
    assert {
        kind for kind in (Model, StreamingModel, FittableModel, PlacedModel) if isinstance(model, kind)
    } == protocols


def test_a_placement_has_defaults() -> None:
    assert Placement() == Placement(device="cpu", dtype=None, directory=None, allow_pickle=False)


def test_a_plugin_implements_the_hook() -> None:
    class Plugin:
        @staticmethod
        @hookimpl
        def metier_load(card: Any, placement: Placement) -> Any:
            return (card.id, placement.device)

    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    manager.register(Plugin)
    manager.check_pending()
    assert manager.hook.metier_load(card=CARD, placement=Placement(device="mps")) == ("mlm/base", "mps")


def test_the_names_that_distributions_rely_on() -> None:
    assert (PROJECT, ENTRY_POINT_GROUP, MANIFEST_NAME) == ("metier", "metier.plugins", "metier-plugin.toml")
