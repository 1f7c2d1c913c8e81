"""`metier lock`, `metier sync` and `metier verify`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from metier.locking import Lock, LockedFile, wheels


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
    assert "It lacks the wheels of metier, of metier-acme==1.2.3 and of all that they require" in ran.out
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
        assert "the lock metier.lock is not there" in ran.err


def test_wheels_are_of_an_export(metier: Any, weights: Path) -> None:
    ran = metier("lock", "--wheels")
    assert ran.code == 2
    assert "--offline DIR" in ran.err


def test_an_export_with_wheels_says_what_installs_them(
    metier: Any, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = LockedFile(name="metier_acme-1.2.3-py3-none-any.whl", sha256="0" * 64, bytes=2000)

    def gathered(lock: Lock, *_: object) -> Lock:
        return lock.replaced(wheels=(wheel,))

    monkeypatch.setattr(wheels, "with_wheels", gathered)
    ran = metier("lock", "--offline", str(tmp_path / "stick"), "--wheels")
    assert ran.code == 0
    assert "--find-links stick/wheels --requirement stick/wheels/requirements.txt  # 1 wheel, 2.0 kB\n" in ran.out
    assert "lacks" not in ran.out
    assert tomllib.loads(Path("metier.lock").read_text())["wheels"] == [wheel.model_dump()]


def test_nothing_to_lock_is_bad_usage(metier: Any, plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/k"))
    assert metier("lock").code == 2
    assert metier("lock", "acme/none").code == 2


def test_json_is_the_lock(metier: Any, weights: Path) -> None:
    assert [model["id"] for model in metier("lock", "--json").json["models"]] == ["acme/k"]
