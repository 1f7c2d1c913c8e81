"""An export for a site without network: a folder with a lock, and each file of its models under its sha256."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from metier_contracts import ChecksumError, StorageError, WeightsError

from metier.catalog import Entry
from metier.fitted import fitting_folder, folder_of
from metier.locking.inventory import Inventory
from metier.locking.lockfile import LOCK_NAME, Lock, LockedFile, LockedModel, write_lock
from metier.weights import sha256_of
from metier.weights.folder import Record, partial_folder, publish
from metier.weights.source import PathSource, parse_source

_FILES = "files"


def export(lock: Lock, inventory: Inventory, folder: Path) -> None:
    """Write the lock and the files of its models into a folder; files that are there already stay.

    The lock comes last: a folder that holds one is complete.

    Raises:
        ChecksumError: a file is no longer as it was locked. StorageError: the folder cannot be written.
    """
    with writing(folder):
        (folder / _FILES).mkdir(parents=True, exist_ok=True)
        for model in lock.models:
            holding = inventory.holding(inventory.catalog.get(model.id))
            if holding is None:
                continue  # a model without weights
            for file in model.files:
                target = folder / _FILES / file.sha256
                if not target.is_file() or sha256_of(target) != file.sha256:
                    _copy(model, file, holding.folder / file.name, target)
    write_lock(lock, folder / LOCK_NAME)


def bring(model: LockedModel, inventory: Inventory, folder: Path) -> None:
    """Put the files of a model from an export to where its card here, which is as locked, has them.

    A fitted model, or one on a path, does not take the place of another.

    Raises:
        UnknownModelError: no card here has its id. ChecksumError: a file of the export is not what its name says.
        WeightsError: the export lacks a file. StorageError: the files cannot be written.
    """
    if model.origin == "fitted":
        _bring_fitted(model, folder)
        return
    entry = inventory.catalog.get(model.id)
    source = parse_source(entry.card)
    if isinstance(source, PathSource):
        _bring_to_path(model, source.path, folder)
    elif source is not None:
        _bring_to_store(model, entry, inventory, folder)


def _bring_fitted(model: LockedModel, export: Path) -> None:
    home = folder_of(model.id)
    if not home.exists():
        with writing(home), fitting_folder(model.id) as partial:
            _fill(model, export, partial)
            partial.replace(home)


def _bring_to_path(model: LockedModel, path: Path, export: Path) -> None:
    if path.exists():
        return
    with writing(path.parent), partial_folder(path) as partial:
        _fill(model, export, partial)
        single = partial / path.name
        publish(single if [file.name for file in model.files] == [path.name] else partial, path)


def _bring_to_store(model: LockedModel, entry: Entry, inventory: Inventory, export: Path) -> None:
    files = {file.name: file.sha256 for file in model.files}
    record = Record(str(model.source), model.revision, model.archive, files, model.bytes)
    inventory.store.adopt(entry.card, record, lambda partial: _fill(model, export, partial))


def _fill(model: LockedModel, export: Path, folder: Path) -> None:
    for file in model.files:
        path = export / _FILES / file.sha256
        if not path.is_file():
            raise WeightsError(
                f"the export {export} lacks a file of {model.id}",
                expected=f"{file.name} as {path}",
                got="no such file",
                blame="the export, or the way in which it was copied",
                hint=f"write it anew on the connected machine: `metier lock --offline DIR {model.id}`",
            )
        _copy(model, file, path, folder / file.name)


def _copy(model: LockedModel, file: LockedFile, source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    if (found := sha256_of(target)) != file.sha256:
        target.unlink()
        raise ChecksumError(
            f"{source} is not the file {file.name} that is locked of {model.id}",
            expected=f"sha256 {file.sha256}",
            got=f"sha256 {found}",
            blame="whoever changed the file",
            hint=f"`metier pull {model.id} --force`, and export again",
        )


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Raise any `OSError` of the block as a `StorageError` about the folder that it writes."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{folder} cannot be written",
            expected="a folder that can be written, with space for what goes into it",
            got=str(error),
            blame="the permissions, or the disk",
            hint="name another folder",
        ) from error
