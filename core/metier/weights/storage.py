"""What the disk says when weights are written, as `StorageError`."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from metier_contracts.card import ModelCard
from metier_contracts.errors import MetierError, StorageError

# Windows has no EDQUOT.
FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
UNWRITABLE = frozenset({errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST})


@contextmanager
def storage_errors(card: ModelCard, path: Path) -> Iterator[None]:
    """Raise any `OSError` of the block as a `StorageError` about `path`, where the block writes."""
    try:
        yield
    except MetierError:  # DeadlineExceeded is an OSError too
        raise
    except OSError as error:
        raise _storage_error(card, path, error) from error
    except NotImplementedError as error:  # filelock's word for a file system without locks
        raise _storage_error(card, path, OSError(errno.ENOSYS, str(error))) from error


def _storage_error(card: ModelCard, path: Path, error: OSError) -> StorageError:
    full = error.errno in FULL
    needed, free = _needed(card), _free(path)
    reason = os.strerror(error.errno) if error.errno else str(error)
    return StorageError(
        f"the disk is full: the weights of {card.id} do not fit into {path}"
        if full
        else f"the weights of {card.id} cannot be written into {path}",
        expected=f"{needed} free" if full else f"a folder that can be written, with {needed} free",
        got=f"{free} free ({reason})" if full else f"{reason} at {error.filename or path}, with {free} free",
        blame=f"the disk that holds {path}" if full else f"the permissions of {path}, or what stands in its place",
        hint=("free some space, or " if full else "") + "use another folder: METIER_CACHE=/other/folder",
    )


def _needed(card: ModelCard) -> str:
    size = card.download_bytes or card.bytes
    return f"{size:,} bytes" if size else "enough bytes (the card does not say how many)"


def _free(path: Path) -> str:
    """Return the free bytes where `path` is, or would be."""
    for place in (path, *path.parents):
        try:
            return f"{shutil.disk_usage(place).free:,} bytes"
        except OSError:
            continue
    return "an unknown number of bytes"
