"""Who uses the folder of an environment: known by a lock in it, which the system takes from a holder that dies."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from metier_contracts import PluginUnavailableError

from metier.environments.environment import Environment

_MARK = "pyvenv.cfg"  # without which a folder is no virtual environment


def hold(environment: Environment) -> BinaryIO:
    """Keep the folder of an environment until this is closed, though it be replaced or uninstalled.

    Raises:
        PluginUnavailableError: that has happened before.
    """
    import fcntl  # which Windows lacks, as it lacks workers

    with suppress(FileNotFoundError):
        mark = (environment.folder / _MARK).open("rb")
        fcntl.flock(mark, fcntl.LOCK_SH)  # waits for who is about to remove it
        if os.fstat(mark.fileno()).st_nlink:
            return mark
        mark.close()
    raise PluginUnavailableError(
        f"the environment of {environment.package} was replaced or uninstalled since this program found it",
        expected=str(environment.folder),
        got="no such environment any more",
        blame=f"an install or uninstall of {environment.package} in the meantime",
        hint="make a new Runtime, or start the program again; `metier plugin list` shows what there is now",
    )


def discard(folder: Path) -> None:
    """Remove the folder of an environment, or what is left of one, unless a program holds it."""
    if os.name == "posix":
        import fcntl

        try:
            with (folder / _MARK).open("r+b") as mark:
                fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
                (folder / _MARK).unlink()
        except BlockingIOError:
            return
        except FileNotFoundError:
            pass
    shutil.rmtree(folder, ignore_errors=True)
