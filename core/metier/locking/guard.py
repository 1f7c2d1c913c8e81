"""The check of a runtime that has a lock: no model is loaded whose files are not those that are locked."""

from __future__ import annotations

from pathlib import Path

from metier_contracts import ChecksumError, ModelCard, WeightsError

from metier.locking.inventory import held
from metier.locking.lockfile import LockedModel, read_lock
from metier.weights import sha256_of
from metier.weights.source import listed_files


class LockGuard:
    """Compares the files of models with a lock, before they are loaded.

    Args:
        path: the lock, which is read now.

    Raises:
        ConfigError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = read_lock(path)

    def check(self, card: ModelCard, folder: Path | None) -> None:
        """Raise unless the files in `folder`, which have just been compared with the card, are the locked ones.

        A model without weights passes: it has none to differ.

        Raises:
            ChecksumError: a file differs. WeightsError: the model is not in the lock.
        """
        if folder is None:
            return
        locked = self._lock.model(card.id)
        if locked is None:
            raise WeightsError(
                f"the model {card.id!r} is not in the lock",
                expected=f"one of those in {self._path}",
                got=repr(card.id),
                blame=f'the choice of model, or lock = "{self._path}"',
                hint=f"`metier lock` with {card.id} among the models adds it",
            )
        self._compare(locked, card, folder)

    def _compare(self, locked: LockedModel, card: ModelCard, folder: Path) -> None:
        holding = held(card, folder, fitted=locked.origin == "fitted")
        checked = listed_files(card) or {} if holding.record is None else holding.record.files
        wanted = {file.name: file.sha256 for file in locked.files}
        for name in sorted(wanted.keys() | set(holding.names)):
            found = (checked.get(name) or sha256_of(folder / name)) if name in holding.names else None
            if found != wanted.get(name):
                raise ChecksumError(
                    f"{folder / name} of {card.id} is not as it is locked",
                    expected=f"sha256 {wanted[name]}" if name in wanted else "no such file",
                    got=f"sha256 {found}" if found else "no such file",
                    blame=f"whoever changed the weights, or {self._path}",
                    hint="`metier verify` shows all that differs, `metier sync` mends it, `metier lock` accepts it",
                )
