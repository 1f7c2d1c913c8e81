"""The file: what is written is read, twice the same, and what is none is refused."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from metier.locking import Lock, LockedFile, LockedModel, LockedPlugin, read_lock, write_lock
from metier_contracts import ConfigError, InputError

FILE = LockedFile(name="a/b.gguf", sha256="0" * 64, bytes=3)
LOCK = Lock(
    contract="1.0",
    metier="0.1.0",
    plugins=(LockedPlugin(name="mlm", package="metier", version="0.1.0", extra="mlm"),),
    models=(LockedModel(id="acme/a", plugin="mlm", origin="plugin", licence="MIT", source="hf:acme/a", files=(FILE,)),),
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "metier.lock"
    write_lock(LOCK, path)
    assert read_lock(path) == LOCK
    assert [each.name for each in path.parent.iterdir()] == ["metier.lock"]


def test_it_is_toml_for_people(tmp_path: Path) -> None:
    write_lock(LOCK, tmp_path / "metier.lock")
    text = (tmp_path / "metier.lock").read_text()
    assert text.startswith("# Written by `metier lock`.")
    assert tomllib.loads(text)["models"][0]["files"] == [{"name": "a/b.gguf", "sha256": "0" * 64, "bytes": 3}]


def test_a_plugin_is_required_with_its_extra() -> None:
    assert LOCK.plugins[0].requirement == "metier[mlm]==0.1.0"


@pytest.mark.parametrize("name", ["../a", "/a", "a/../../b", "", "a\\b", "c:x"])
def test_a_name_that_leaves_the_folder_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        LockedFile(name=name, sha256="0" * 64, bytes=1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version = 1\n", "contract"),
        ('version = 2\ncontract = "1.0"\nmetier = "9"\n', "version"),
        ('version = 1\ncontract = "1.0"\nmetier = "9"\nsurprise = 1\n', "surprise"),
        ("[[", "TOMLDecodeError"),
        ("\xff", "UnicodeDecodeError"),
        (None, "no such file"),
    ],
)
def test_what_is_no_lock_is_refused(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "metier.lock"
    if text is not None:
        path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError) as raised:
        read_lock(path)
    assert said in str(raised.value)
    assert raised.value.blame == str(path)
