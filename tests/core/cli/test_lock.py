"""`metier lock`, `metier sync` and `metier verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def weights(plugins: Any, tmp_path: Path) -> Path:
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "model.gguf").write_bytes(b"weights")
    plugins.write("acme", plugins.card("acme/k", source=f"path:{folder}"))
    return folder


def test_a_lock_is_written_and_holds_until_a_file_changes(metier: Any, weights: Path) -> None:
    ran = metier("lock")
    assert (ran.code, ran.out) == (0, "metier.lock: 1 plugin, 1 model, 7 B\n")
    ran = metier("verify")
    assert (ran.code, ran.out) == (0, "nothing differs\n")
    (weights / "model.gguf").write_bytes(b"others!")
    ran = metier("verify")
    assert ran.code == 1
    assert f"file {weights / 'model.gguf'}: locked sha256 " in ran.out
    (difference,) = metier("verify", "--json").json
    assert difference["kind"] == "file"


def test_an_export_is_written_and_brought_back(metier: Any, weights: Path, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    ran = metier("lock", "acme/k", "--offline", str(stick))
    assert ran.code == 0
    assert f'pip download --dest {stick / "wheels"} "metier-acme==1.2.3"' in ran.out
    (weights / "model.gguf").unlink()
    weights.rmdir()
    ran = metier("sync", "--offline", str(stick))
    assert (ran.code, ran.out) == (0, "nothing differs\n")
    assert (weights / "model.gguf").read_bytes() == b"weights"


def test_what_sync_cannot_mend_is_exit_code_1(metier: Any, weights: Path) -> None:
    assert metier("lock", "--file", "deep/other.lock").code == 0
    (weights / "model.gguf").write_bytes(b"others!")
    assert metier("sync", "--file", "deep/other.lock").code == 1


def test_without_a_lock_the_error_says_where_it_looked(metier: Any) -> None:
    for command in ("sync", "verify"):
        ran = metier(command)
        assert ran.code == 1
        assert "the lock metier.lock cannot be read" in ran.err


def test_nothing_to_lock_is_bad_usage(metier: Any, plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/k"))
    assert metier("lock").code == 2
    assert metier("lock", "acme/none").code == 2


def test_json_is_the_lock(metier: Any, weights: Path) -> None:
    assert [model["id"] for model in metier("lock", "--json").json["models"]] == ["acme/k"]
