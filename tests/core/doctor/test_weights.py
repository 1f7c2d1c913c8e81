"""The state of each model's weights: told fast where the record tells, by sha256 where it does not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from metier import Runtime
from metier.doctor import weights
from metier.doctor.weights import ModelWeights, examine_weights
from metier.fitted import folder_of
from metier.locking.inventory import Inventory
from metier.weights import WeightStore, sha256_of
from metier.weights.folder import RECORD_NAME, Record, write_record
from metier.weights.source import folder_name, parse_source
from metier_contracts import ClassifyFit, ExampleSet

HUB = {"source": "hf:acme/tiny", "revision": "c" * 40}
EXAMPLES = ExampleSet.from_pairs([("good", "praise"), ("bad", "blame"), ("fine", "praise")])


@pytest.fixture
def pulled(plugins: Any) -> Path:
    """The folder of a pulled model."""
    plugins.write("acme", plugins.card("acme/tiny", **HUB), plugins.card("acme/fit", "fittable"))
    card = plugins.model_card("acme/tiny", **HUB)
    source = parse_source(card)
    assert source is not None
    folder = WeightStore().root / folder_name(card, source)
    folder.mkdir(parents=True)
    for name in ("a.gguf", "b.json"):
        (folder / name).write_bytes(b"weights")
    write_record(
        folder, Record(HUB["source"], HUB["revision"], None, dict.fromkeys(("a.gguf", "b.json"), digest(folder)), 14)
    )
    return folder


def digest(folder: Path) -> str:
    return sha256_of(folder / "a.gguf")


def state_of(model: str, *, verify: bool = False) -> ModelWeights:
    return next(each for each in examine_weights(Inventory.here(), verify=verify) if each.model == model)


def rewrite(path: Path, data: bytes, *, seconds: int) -> None:
    """Write a file so that it is that much younger than the record beside it."""
    path.write_bytes(data)
    written = (path.parent / RECORD_NAME).stat().st_mtime_ns + seconds * 10**9
    os.utime(path, ns=(written, written))


def test_what_is_as_pulled_is_here_and_no_file_is_read(pulled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    monkeypatch.setattr(weights, "sha256_of", lambda path: read.append(path) or digest(pulled))
    assert state_of("acme/tiny").state == "here"
    assert read == []
    assert state_of("acme/tiny", verify=True).state == "here"
    assert [path.name for path in read] == ["a.gguf", "b.json"]


def test_a_younger_file_of_the_same_bytes_is_as_pulled(pulled: Path) -> None:
    rewrite(pulled / "a.gguf", b"weights", seconds=1)
    assert state_of("acme/tiny").state == "here"


@pytest.mark.parametrize(("data", "seconds"), [(b"WEIGHTS", 1), (b"longer weights", -1)])
def test_a_younger_or_longer_file_that_differs_is_altered(pulled: Path, data: bytes, seconds: int) -> None:
    rewrite(pulled / "a.gguf", data, seconds=seconds)
    found = state_of("acme/tiny")
    assert (found.state, found.altered) == ("altered", (str(pulled / "a.gguf"),))
    assert found.fix == "metier pull acme/tiny --force"


def test_what_time_and_size_do_not_tell_verify_does(pulled: Path) -> None:
    rewrite(pulled / "a.gguf", b"WEIGHTS", seconds=-1)
    assert state_of("acme/tiny").state == "here"
    assert state_of("acme/tiny", verify=True).state == "altered"


def test_a_missing_file_is_altered_and_a_missing_folder_absent(pulled: Path) -> None:
    (pulled / "b.json").unlink()
    assert state_of("acme/tiny").altered == (str(pulled / "b.json"),)
    (pulled / RECORD_NAME).unlink()
    found = state_of("acme/tiny")
    assert (found.state, found.fix) == ("absent", "metier pull acme/tiny")


def test_a_fitted_model_is_examined_too(pulled: Path) -> None:
    with Runtime() as runtime:
        runtime.fit(ClassifyFit(id="mine/a", base="acme/fit", examples=EXAMPLES), progress=False)
    assert state_of("mine/a", verify=True).state == "here"
    path = next(path for path in sorted(folder_of("mine/a").iterdir()) if path.name != "metier-card.json")
    path.write_bytes(path.read_bytes() + b"!")
    found = state_of("mine/a", verify=True)
    assert (found.state, found.altered, found.fix) == ("altered", (str(path),), "fit the model again")


def test_what_has_no_weights_or_is_far_away_needs_none(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/k"), plugins.card("acme/far", source="https://example.org/v1"))
    assert (state_of("acme/k").state, state_of("acme/far").state) == ("none needed", "remote")


def test_what_the_policy_does_not_allow_is_told(plugins: Any, settings_file: Any) -> None:
    plugins.write("acme", plugins.card("acme/k", licence="CC-BY-NC-4.0"), plugins.card("acme/free"))
    settings_file({"licence_policy": "commercial"})
    assert (state_of("acme/k").allowed, state_of("acme/free").allowed) == (False, True)
