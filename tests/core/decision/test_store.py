"""The file that profiles are kept in."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from metier.decision.profile import MeasuredQuality, Measurement, Profile
from metier.decision.store import ProfileStore
from metier_contracts import ProfileError

KEY = ("acme/a", "embed", "machine", "weights")


def profile(**fields: Any) -> Profile:
    basis: dict[str, Any] = {"model": "acme/a", "task": "embed", "source": "measured", "weights": "weights"}
    basis |= {"machine": "machine", "unit": "characters", "measurements": (Measurement(size=1, p50=0.5, p95=1.0),)}
    return Profile(**{**basis, **fields})


def quality(**fields: Any) -> MeasuredQuality:
    basis: dict[str, Any] = {"model": "acme/a", "task": "classify", "weights": "weights", "sample": "s"}
    basis |= {"metric": "accuracy", "value": 0.9, "low": 0.8, "high": 0.95, "count": 50, "measured": "2026-01-01"}
    return MeasuredQuality(**{**basis, **fields})


@pytest.fixture
def store(tmp_path: Path) -> ProfileStore:
    return ProfileStore(tmp_path / "data" / "profiles.sqlite")


def test_reading_makes_no_file(store: ProfileStore) -> None:
    assert store.profiles(*KEY) == []
    assert store.qualities("acme/a", "classify", "weights") == []
    assert not store.path.parent.exists()


def test_what_is_kept_is_there_and_the_newer_takes_the_place(store: ProfileStore) -> None:
    store.keep(profile(load_seconds=1.0))
    store.keep(profile(load_seconds=2.0))
    assert store.profiles(*KEY) == [profile(load_seconds=2.0)]


@pytest.mark.parametrize("field", ["model", "task", "machine", "weights"])
def test_a_profile_of_something_else_does_not_count(store: ProfileStore, field: str) -> None:
    store.keep(profile(**{field: "other"}))
    assert store.profiles(*KEY) == []


def test_each_unit_has_its_profile(store: ProfileStore) -> None:
    store.keep(profile())
    store.keep(profile(unit="pixels"))
    assert [each.unit for each in store.profiles(*KEY)] == ["characters", "pixels"]
    assert [each.unit for each in store.profiles(*KEY, unit="pixels")] == ["pixels"]


def test_qualities_come_newest_first(store: ProfileStore) -> None:
    for sample, measured in (("s1", "2026-01-01"), ("s2", "2026-03-01"), ("s3", "2026-02-01")):
        store.keep(quality(sample=sample, measured=measured))
    store.keep(quality(sample="s4", weights="other"))
    assert [each.sample for each in store.qualities("acme/a", "classify", "weights")] == ["s2", "s3", "s1"]


def test_a_file_that_is_no_database_is_told(store: ProfileStore) -> None:
    store.path.parent.mkdir()
    store.path.write_text("these are words, and not the pages of a database" * 50)
    with pytest.raises(ProfileError, match="move the file away") as caught:
        store.profiles(*KEY)
    assert caught.value.blame == str(store.path)
    with pytest.raises(ProfileError):
        store.keep(profile())


def test_the_database_of_another_program_is_told_and_left_as_it_is(store: ProfileStore) -> None:
    store.path.parent.mkdir()
    with sqlite3.connect(store.path) as connection:
        connection.execute("CREATE TABLE profiles (a)")
    connection.close()
    before = store.path.read_bytes()
    with pytest.raises(ProfileError, match="another program"):
        store.keep(profile())
    assert store.path.read_bytes() == before


def test_a_newer_schema_is_told(store: ProfileStore) -> None:
    store.keep(profile())
    with sqlite3.connect(store.path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ProfileError, match="schema 99"):
        store.profiles(*KEY)


def test_a_record_that_is_cut_off_is_told(store: ProfileStore) -> None:
    store.keep(profile())
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE profiles SET record = '{'")
    connection.close()
    with pytest.raises(ProfileError):
        store.profiles(*KEY)


def test_a_folder_in_place_of_the_file_is_told(store: ProfileStore) -> None:
    store.path.mkdir(parents=True)
    with pytest.raises(ProfileError):
        store.keep(profile())


def test_several_processes_write_at_once(store: ProfileStore) -> None:
    code = """
import sys
from pathlib import Path
from metier.decision.profile import Profile
from metier.decision.store import ProfileStore
store = ProfileStore(Path(sys.argv[1]))
for number in range(20):
    store.keep(Profile(model=f"{sys.argv[2]}/{number}", task="embed", source="measured", weights="weights",
                       machine="machine", unit="characters"))
"""
    workers = [subprocess.Popen([sys.executable, "-c", code, str(store.path), name]) for name in ("a", "b", "c")]
    assert [worker.wait() for worker in workers] == [0, 0, 0]
    for name in ("a", "b", "c"):
        for number in range(20):
            assert len(store.profiles(f"{name}/{number}", *KEY[1:])) == 1
