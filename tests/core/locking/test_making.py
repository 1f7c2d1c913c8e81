"""Making a lock: the models in use, each file by its sha256, the same each time."""

from __future__ import annotations

from typing import Any

import pytest
from metier.locking.inventory import Inventory
from metier.locking.making import make_lock
from metier_contracts import (
    ChecksumError,
    Classify,
    InputError,
    OfflineError,
    UnknownModelError,
)

from .conftest import COMMIT, PULLED, World, compare, lock_here, sha256

ASK = Classify(text="good", labels=("good", "bad"))


def test_it_holds_the_models_in_use_with_each_file(full: World) -> None:
    lock = lock_here()
    assert [(model.id, model.origin) for model in lock.models] == [
        ("acme/tiny", "plugin"),
        ("mine/fitted", "fitted"),
        ("mine/intent", "config"),
    ]
    tiny, fitted, intent = lock.models
    assert (tiny.source, tiny.revision, tiny.licence) == ("hf:acme/tiny", COMMIT, "Apache-2.0")
    assert {file.name: (file.sha256, file.bytes) for file in tiny.files} == {
        name: (sha256(data), len(data)) for name, data in PULLED.items()
    }
    assert "metier-card.json" in [file.name for file in fitted.files]
    assert fitted.source is None
    assert [file.name for file in intent.files] == ["model.gguf"]
    assert [(plugin.name, plugin.package, plugin.version) for plugin in lock.plugins] == [
        ("acme", "metier-acme", "1.2.3")
    ]


def test_it_is_the_same_each_time(full: World) -> None:
    assert lock_here() == lock_here("mine/intent", "acme/tiny", "mine/fitted", "acme/tiny")


def test_only_what_is_named_is_locked(full: World) -> None:
    assert [model.id for model in lock_here("acme/fit", "acme/tiny").models] == ["acme/fit", "acme/tiny"]


def test_there_must_be_something_to_lock(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/k"))
    with pytest.raises(InputError, match="nothing to lock"):
        lock_here()
    with pytest.raises(UnknownModelError):
        lock_here("acme/other")


def test_what_is_not_here_and_cannot_be_fetched_is_not_locked(full: World) -> None:
    with pytest.raises(OfflineError):
        make_lock(Inventory.here(offline=True), ["acme/unused"])


def test_altered_weights_are_not_locked(full: World) -> None:
    (full.pulled_folder() / "deep" / "config.json").write_text("[]")
    with pytest.raises(ChecksumError):
        lock_here()


def test_a_composed_model_brings_its_parts_and_its_plugin_is_metier_itself(full: World) -> None:
    cascade = {"cheap": "acme/tiny", "strong": "mine/intent", "threshold": 0.5, "revisions": {}}
    both = {"id": "mine/both", "plugin": "metier", "architecture": "rule", "licence": "MIT", "cascade": cascade}
    full.write_settings(cards=[*full.settings["cards"], {**both, "tasks": {"classify": {"labels": ["a", "b"]}}}])
    lock = lock_here("mine/both")
    assert [(model.id, len(model.files)) for model in lock.models] == [
        ("acme/tiny", 2),
        ("mine/both", 0),
        ("mine/intent", 1),
    ]
    assert [plugin.name for plugin in lock.plugins] == ["acme"]
    assert compare(lock) == []
