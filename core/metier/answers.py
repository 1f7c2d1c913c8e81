"""Answers that models gave before: kept in memory or on disk, by what was asked and of which model."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from metier_contracts import CallContext, MetierError, Request, Response, StorageError

from metier.accounting import Ledger
from metier.paths import answers_file
from metier.pipeline.engine import Perform
from metier.revisions import revision_of
from metier.selection import Selector
from metier.terms import Terms

MEMORY_BYTES = 64 * 2**20
DISK_BYTES = 2**30
_FORMAT = "1"
_LOCK_SECONDS = 30.0
_AT_ONCE = 500


class Store(Protocol):
    """Answers as JSON, by key. What was not asked for the longest goes first where room is short."""

    def find(self, keys: Collection[str]) -> Mapping[str, bytes]:
        """Return those that are kept."""
        ...

    def keep(self, answers: Mapping[str, bytes]) -> None:
        """Keep answers."""
        ...


@dataclass
class InMemory:
    """Answers in the memory of this process."""

    limit: int = MEMORY_BYTES
    _kept: OrderedDict[str, bytes] = field(default_factory=OrderedDict)
    _bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, keys: Collection[str]) -> Mapping[str, bytes]:
        """Return those that are kept."""
        with self._lock:
            found = {key: self._kept[key] for key in keys if key in self._kept}
            for key in found:
                self._kept.move_to_end(key)
        return found

    def keep(self, answers: Mapping[str, bytes]) -> None:
        """Keep answers."""
        with self._lock:
            for key, answer in answers.items():
                self._bytes += len(answer) - len(self._kept.pop(key, b""))
                self._kept[key] = answer
            while self._bytes > self.limit:
                self._bytes -= len(self._kept.popitem(last=False)[1])


@dataclass(frozen=True)
class OnDisk:
    """Answers in one SQLite file; several processes may use it at once.

    Every method raises `StorageError` where the file cannot be used.
    """

    path: Path
    limit: int = DISK_BYTES

    def find(self, keys: Collection[str]) -> Mapping[str, bytes]:
        """Return those that are kept."""
        if not self.path.exists():
            return {}
        found: dict[str, bytes] = {}
        wanted = list(keys)
        with self._opened() as connection:
            for start in range(0, len(wanted), _AT_ONCE):
                some = wanted[start : start + _AT_ONCE]
                marks = ", ".join("?" * len(some))
                found.update(connection.execute(f"SELECT key, answer FROM answers WHERE key IN ({marks})", some))  # noqa: S608
            used = time.time()
            connection.executemany("UPDATE answers SET used = ? WHERE key = ?", [(used, key) for key in found])
        return found

    def keep(self, answers: Mapping[str, bytes]) -> None:
        """Keep answers."""
        used = time.time()
        with self._opened() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO answers VALUES (?, ?, ?)",
                [(key, answer, used) for key, answer in answers.items()],
            )
            connection.execute(
                "DELETE FROM answers WHERE key IN (SELECT key FROM (SELECT key, SUM(LENGTH(answer)) OVER "
                "(ORDER BY used DESC, rowid DESC) AS held FROM answers) WHERE held > ?)",
                (self.limit,),
            )

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=_LOCK_SECONDS)) as connection, connection:
                connection.execute("CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, answer BLOB, used REAL)")
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise StorageError(
                f"the answers kept in {self.path} cannot be used",
                expected="a SQLite file of metier's, in a folder that can be written",
                got=f"{type(error).__name__}: {error}",
                blame=str(self.path),
                hint="remove the file, or set METIER_CACHE to another folder",
            ) from error


@dataclass(frozen=True)
class Answers:
    """What `cache` asks: performs a request unless its answer is kept.

    An answer belongs to the content of the request, the revision of the model that would serve it now, and the versions
    of its plugin and of the one that brings the task. Errors are not kept, nor are answers of models in folders whose
    files nobody has taken the sha256 of.
    """

    selector: Selector
    ledger: Ledger
    memory: Store = field(default_factory=InMemory)
    disk: Store = field(default_factory=lambda: OnDisk(answers_file()))

    def remembered(self, perform: Perform, on_disk: bool) -> Perform:
        """Return what performs requests as `perform` does, and keeps what is answered."""
        store = self.disk if on_disk else self.memory

        def answered(requests: Sequence[Request[Any]], context: CallContext, terms: Terms) -> Sequence[Any]:
            keys = [self._key(request, terms) for request in requests]
            wanted = {key for key in keys if key is not None}
            kept = store.find(wanted) if wanted else {}
            first = {key or str(place): place for place, key in reversed([*enumerate(keys)]) if key not in kept}
            asked = sorted(first.values())
            fresh = perform([requests[place] for place in asked], context, terms) if asked else ()
            new = dict(zip(asked, fresh, strict=True))
            made = {key: answer for place, answer in new.items() if (key := keys[place]) is not None}
            texts = {key: answer.to_json().encode() for key, answer in made.items() if isinstance(answer, Response)}
            if texts:
                store.keep(texts)
            known = {**kept, **texts}
            return [
                new[place] if place in new else self._again(request, known[key]) if key in known else made[key or ""]
                for place, (request, key) in enumerate(zip(requests, keys, strict=True))
            ]

        return answered

    def _again(self, request: Request[Any], answer: bytes) -> Response:
        """Return an answer that was given before."""
        response: Response = self.selector.catalog.tasks.of(request).response.from_json(answer)
        if response.provenance is not None:
            before = response.provenance
            response = response.replaced(provenance=before.replaced(cached=True, seconds=0.0, cost=0.0, parts=()))
        self.ledger.count_cached([response])
        return response

    def _key(self, request: Request[Any], terms: Terms) -> str | None:
        """Return what stands for a request and the model that would serve it; None where nothing may be kept."""
        try:
            entry = self.selector.choose(request, terms)
        except MetierError:
            return None  # performing it says what is wrong
        card = entry.card
        if card.source is not None and card.source.startswith("path:") and card.sha256 is None:
            return None
        version = "" if entry.plugin is None else entry.plugin.version
        brought = self.selector.catalog.tasks.version(request.task)
        parts = (_FORMAT, request.task, brought, card.id, revision_of(card), version, request.to_json())
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()
