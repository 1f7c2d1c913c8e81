"""A lock between processes, and between the threads of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path`, after waiting for whoever holds it.

    The operating system keeps the lock and frees it when its holder dies. The file stays: to remove it would split
    those who wait between two files.
    """
    from filelock import FileLock

    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path):
        yield
