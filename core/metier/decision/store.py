"""`ProfileStore`: what `metier calibrate` measured, kept in one SQLite file in the user's data folder."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from metier_contracts import InputError, ProfileError, Unit

from metier.decision.profile import MeasuredQuality, Profile

RecordT = TypeVar("RecordT", Profile, MeasuredQuality)

SCHEMA_VERSION = 1
_APPLICATION_ID = 0x6D657469  # "meti": SQLite's own mark of which program a file belongs to
_LOCK_SECONDS = 30.0
_TABLES = """
CREATE TABLE profiles (
    model TEXT, task TEXT, unit TEXT, machine TEXT, weights TEXT, record TEXT NOT NULL,
    PRIMARY KEY (model, task, unit, machine, weights)
);
CREATE TABLE qualities (
    model TEXT, task TEXT, sample TEXT, weights TEXT, measured TEXT NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (model, task, sample, weights)
);
"""


@dataclass(frozen=True)
class ProfileStore:
    """Profiles by model, task, unit, machine and weights; several processes may read and write at once.

    Reading makes no file. Every method raises `ProfileError` where the file is none of ours or cannot be used.
    """

    path: Path

    def profiles(self, model: str, task: str, machine: str, weights: str, unit: Unit | None = None) -> list[Profile]:
        """Return the profiles of one model's work on one task, of every unit unless one is named."""
        found = self._read(
            Profile,
            "SELECT record FROM profiles WHERE model = ? AND task = ? AND machine = ? AND weights = ? ORDER BY rowid",
            (model, task, machine, weights),
        )
        return [profile for profile in found if unit in (None, profile.unit)]

    def qualities(self, model: str, task: str, weights: str) -> list[MeasuredQuality]:
        """Return how well a model did on each sample, the newest first."""
        return self._read(
            MeasuredQuality,
            "SELECT record FROM qualities WHERE model = ? AND task = ? AND weights = ? ORDER BY measured DESC",
            (model, task, weights),
        )

    def keep(self, record: Profile | MeasuredQuality) -> None:
        """Keep a record in place of any earlier one of the same key."""
        text = record.to_json()
        with self._opened() as connection:
            if isinstance(record, Profile):
                connection.execute(
                    "INSERT OR REPLACE INTO profiles VALUES (?, ?, ?, ?, ?, ?)",
                    (record.model, record.task, record.unit, record.machine, record.weights, text),
                )
            else:
                connection.execute(
                    "INSERT OR REPLACE INTO qualities VALUES (?, ?, ?, ?, ?, ?)",
                    (record.model, record.task, record.sample, record.weights, record.measured, text),
                )

    def _read(self, kind: type[RecordT], query: str, values: tuple[str, ...]) -> list[RecordT]:
        if not self.path.exists():
            return []
        with self._opened() as connection:
            return [kind.from_json(row[0]) for row in connection.execute(query, values)]

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection to a file of this schema; what the block writes is committed together, or not at all."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=_LOCK_SECONDS)) as connection:
                self._prepare(connection)
                with connection:
                    yield connection
        except (sqlite3.Error, OSError, InputError) as error:
            raise ProfileError(
                f"the profiles in {self.path} cannot be used",
                expected="a SQLite file that metier calibrate has written, in a folder that can be written",
                got=f"{type(error).__name__}: {error}",
                blame=str(self.path),
                hint="move the file away and measure again with `metier calibrate`, or set METIER_DATA",
            ) from error

    def _prepare(self, connection: sqlite3.Connection) -> None:
        application, version = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
        )
        if (application, version) == (_APPLICATION_ID, SCHEMA_VERSION):
            return
        if application == _APPLICATION_ID:
            raise self._foreign(f"schema {version}", "use the metier that wrote it, or a newer one")
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            # Another process may have made the tables since.
            if connection.execute("PRAGMA application_id").fetchone()[0] == _APPLICATION_ID:
                return
            if application or version or connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                raise self._foreign("the database of another program", "move the file away, or set METIER_DATA")
            for statement in _TABLES.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _foreign(self, got: str, hint: str) -> ProfileError:
        return ProfileError(
            f"the profiles in {self.path} cannot be used",
            expected=f"a file that metier calibrate has written, of schema {SCHEMA_VERSION}",
            got=got,
            blame=str(self.path),
            hint=hint,
        )
