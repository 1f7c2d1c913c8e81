"""A runtime that has a lock loads what is locked, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from metier import Runtime
from metier.locking import write_lock
from metier_contracts import (
    ChecksumError,
    Classify,
    ConfigError,
    WeightsError,
)

from .conftest import World, lock_here

ASK = Classify(text="good", labels=("good", "bad"))


def test_a_runtime_with_a_lock_loads_what_is_locked_and_nothing_else(full: World, tmp_path: Path) -> None:
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
    with pytest.raises(ConfigError, match="is not there"):
        Runtime(config={"lock": "nowhere.lock"})
