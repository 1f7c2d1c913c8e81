"""Locking a machine, comparing it, and bringing another to the same, with and without network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from metier import Runtime
from metier.fitted import folder_of
from metier.locking import Lock
from metier.locking.comparing import Difference, differences
from metier.locking.export import export
from metier.locking.inventory import Inventory
from metier.locking.lockfile import read_lock
from metier.locking.making import make_lock
from metier.locking.syncing import sync
from metier.weights.store import WeightStore
from metier_contracts import ChecksumError, Classify, InputError, OfflineError, UnknownModelError, WeightsError

from .conftest import COMMIT, PULLED, World, sha256

ASK = Classify(text="good", labels=("good", "bad"))


def lock_here(*models: str) -> Lock:
    return make_lock(Inventory.here(), models)


def compare(lock: Lock) -> list[Difference]:
    return differences(lock, Inventory.here())


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


def test_a_machine_as_locked_has_no_differences(full: World) -> None:
    assert compare(lock_here()) == []


def test_a_flipped_byte_of_each_model_is_told(full: World) -> None:
    lock = lock_here()
    files = [full.folder / "model.gguf", full.pulled_folder() / "deep/config.json", folder_of("mine/fitted")]
    files[2] = next(path for path in sorted(files[2].iterdir()) if path.name != "metier-card.json")
    for path in files:
        path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert sorted((each.kind, each.name) for each in compare(lock)) == sorted(("file", str(path)) for path in files)


def test_an_added_and_a_missing_file_are_told(full: World) -> None:
    lock = lock_here()
    (full.pulled_folder() / "extra.json").write_text("{}")
    (full.folder / "model.gguf").unlink()
    added, missing = sorted(compare(lock), key=lambda each: each.locked)[::-1]
    if added.locked != "no such file":
        added, missing = missing, added
    assert (Path(added.name).name, added.locked, added.fix) == ("extra.json", "no such file", "remove the file")
    assert (Path(missing.name).name, missing.found) == ("model.gguf", "absent")


def test_another_version_of_a_plugin_is_told_with_its_line(full: World, plugins: Any) -> None:
    lock = lock_here()
    for folder in plugins.site.glob("metier_acme-*.dist-info"):
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: metier-acme\nVersion: 2.0\n")
    (difference,) = compare(lock)
    assert (difference.kind, difference.found) == ("plugin", "metier-acme 2.0")
    assert difference.fix == 'pip install "metier-acme==1.2.3"'


def test_a_missing_plugin_is_told(full: World, plugins: Any) -> None:
    lock = lock_here("acme/tiny")
    for file in plugins.site.glob("metier_acme-*.dist-info/entry_points.txt"):
        file.write_text("")
    assert [(each.kind, each.name, each.found) for each in compare(lock)] == [
        ("plugin", "acme", "not installed"),
        ("model", "acme/tiny", "no such model"),
    ]


@pytest.mark.parametrize(
    ("change", "found"),
    [({"licence": "CC-BY-NC-4.0"}, "licence CC-BY-NC-4.0"), ({"revision": "d" * 40}, f"revision {'d' * 40}")],
)
def test_another_card_is_told(full: World, plugins: Any, change: dict[str, str], found: str) -> None:
    lock = lock_here("acme/tiny")
    card = plugins.card("acme/tiny", **{"source": "hf:acme/tiny", "revision": COMMIT, "licence": "Apache-2.0"} | change)
    full.write_settings(cards=[{"plugin": "acme", **card}], defaults={})
    (difference,) = compare(lock)
    assert (difference.kind, difference.found) == ("model", found)


def test_another_metier_is_told(full: World) -> None:
    lock = lock_here().replaced(metier="9.9", contract="9.0")
    assert [(each.kind, each.name, each.locked) for each in compare(lock)] == [
        ("metier", "metier", "9.9"),
        ("metier", "contract", "9.0"),
    ]


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


def test_a_runtime_with_a_lock_loads_what_is_locked_and_nothing_else(full: World, tmp_path: Path) -> None:
    from metier.locking import write_lock

    write_lock(lock_here("mine/intent", "mine/fitted"), tmp_path / "config" / "metier.lock")
    full.write_settings(lock="metier.lock")
    with Runtime() as runtime:
        assert runtime.run(ASK).provenance.model == "mine/intent"
        assert runtime.run(Classify(text="good"), model="mine/fitted").label == "praise"
        with pytest.raises(WeightsError, match="'acme/tiny' is not in the lock"):
            runtime.run(ASK, model="acme/tiny")
    full.place_path(b"others")
    with Runtime() as runtime, pytest.raises(ChecksumError, match="of mine/intent is not as it is locked"):
        runtime.run(ASK)


def test_a_runtime_whose_lock_cannot_be_read_does_not_start(full: World) -> None:
    from metier_contracts import ConfigError

    with pytest.raises(ConfigError, match="cannot be read"):
        Runtime(config={"lock": "nowhere.lock"})
