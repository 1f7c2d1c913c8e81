"""What differs from a lock is told, each with what mends it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from metier.fitted import folder_of
from metier_contracts import (
    Classify,
)

from .conftest import COMMIT, World, compare, lock_here

ASK = Classify(text="good", labels=("good", "bad"))


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
