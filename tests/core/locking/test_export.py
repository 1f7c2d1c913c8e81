"""An export brings a machine without network to the same, and what is damaged is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from metier import Runtime
from metier.fitted import folder_of
from metier.locking.export import export
from metier.locking.inventory import Inventory
from metier.locking.lockfile import read_lock
from metier.locking.syncing import sync
from metier.weights.store import WeightStore
from metier_contracts import (
    ChecksumError,
    Classify,
)

from .conftest import PULLED, World, compare, lock_here, sha256

ASK = Classify(text="good", labels=("good", "bad"))


def test_an_export_brings_a_machine_without_network_to_the_same(
    full: World, tmp_path: Path, no_network: Callable[[], list[object]]
) -> None:
    lock = lock_here()
    export(lock, Inventory.here(), tmp_path / "stick")
    full.move("second")
    (full.folder / "model.gguf").unlink()
    full.folder.rmdir()
    assert {each.name for each in compare(lock)} == {"acme/tiny", "mine/fitted", "mine/intent"}
    carried = read_lock(tmp_path / "stick" / "metier.lock")
    assert carried == lock
    assert sync(carried, export=tmp_path / "stick") == []
    assert compare(lock) == []
    with Runtime(offline=True) as runtime:
        assert runtime.run(ASK).provenance.model == "mine/intent"
        assert runtime.run(ASK, model="acme/tiny").provenance.model == "acme/tiny"
        assert runtime.run(Classify(text="good"), model="mine/fitted").label == "praise"


def test_an_export_holds_each_content_once_and_mends_itself(full: World, tmp_path: Path) -> None:
    (full.folder / "again.gguf").write_bytes((full.folder / "model.gguf").read_bytes())
    lock = lock_here("mine/intent")
    export(lock, Inventory.here(), tmp_path / "stick")
    (blob,) = (tmp_path / "stick" / "files").iterdir()
    assert blob.name == sha256(b"weights")
    blob.write_bytes(b"broken!")
    export(lock, Inventory.here(), tmp_path / "stick")
    assert blob.read_bytes() == b"weights"


def test_a_damaged_export_is_told_and_nothing_of_it_is_kept(full: World, tmp_path: Path) -> None:
    lock = lock_here("acme/tiny", "mine/fitted")
    export(lock, Inventory.here(), tmp_path / "stick")
    (tmp_path / "stick" / "files" / sha256(PULLED["model.safetensors"])).write_bytes(b"evil")
    for file in lock.models[1].files:
        (tmp_path / "stick" / "files" / file.sha256).unlink(missing_ok=True)
    full.move("second")
    tiny, fitted = sync(lock, export=tmp_path / "stick")
    assert "is not the file model.safetensors" in tiny.found
    assert "lacks a file of mine/fitted" in fitted.found
    assert list(WeightStore().root.glob("hf-*[0-9a-f]")) == []
    assert not folder_of("mine/fitted").exists()


def test_an_export_of_changed_weights_is_refused(full: World, tmp_path: Path) -> None:
    lock = lock_here("mine/intent")
    full.place_path(b"others")
    with pytest.raises(ChecksumError):
        export(lock, Inventory.here(), tmp_path / "stick")
    assert not (tmp_path / "stick" / "metier.lock").exists()


def test_what_stands_on_a_path_or_was_fitted_here_stays(full: World, tmp_path: Path) -> None:
    lock = lock_here("mine/intent", "mine/fitted")
    export(lock, Inventory.here(), tmp_path / "stick")
    full.place_path(b"others")
    card = folder_of("mine/fitted") / "metier-card.json"
    card.write_text(card.read_text() + "\n")
    assert {Path(each.name).name for each in sync(lock, export=tmp_path / "stick")} == {
        "model.gguf",
        "metier-card.json",
    }
    assert (full.folder / "model.gguf").read_bytes() == b"others"
