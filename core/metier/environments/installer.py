"""Run pip, or uv where there is no pip, under the user's own configuration."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from metier_contracts import PluginError

from metier.weights import guard
from metier.weights.pip import pip_command

_SHOWN_LINES = 12
_OPTIONS = ("--no-input", "--disable-pip-version-check", "--progress-bar", "off")

Report = Callable[[str], None]
"""Gets each line that the installer prints."""


def install(requirements: Sequence[str], python: Path, report: Report) -> None:
    """Install requirements, resolved together, into the environment of an interpreter.

    Raises:
        PluginError: that failed; the installer's last lines say why.
    """
    _run([*_installer(python, "install", _OPTIONS), *requirements], requirements[-1], python, report)


def uninstall(package: str, python: Path, report: Report) -> None:
    """Remove a distribution from the environment of an interpreter.

    Raises:
        PluginError: that failed; the installer's last lines say why.
    """
    _run([*_installer(python, "uninstall", ("--yes", *_OPTIONS[:2])), package], package, python, report)


def wheels(requirements: Sequence[str], folder: Path, report: Report) -> None:
    """Put the wheel of each requirement, for this interpreter, into a folder; what is no wheel yet is built.

    Raises:
        PluginError: that failed; pip's last lines say why. WeightsError: there is no pip.
    """
    command = [*pip_command(), "wheel", *_OPTIONS, "--no-deps", "--wheel-dir", str(folder), *requirements]
    _run(command, "the wheels", Path(sys.executable), report)


def _installer(python: Path, verb: str, options: Sequence[str]) -> list[str]:
    if find_spec("pip") is not None:
        return ["pip", "--python", str(python), verb, *options]
    if (uv := shutil.which("uv")) is not None:
        return [uv, "pip", verb, "--python", str(python)]
    raise PluginError(
        "no installer is at hand",
        expected=f"pip in the environment of {sys.executable}, or uv on PATH",
        got="neither",
        blame="the environment",
        hint="run `python -m ensurepip`, or install uv",
    )


def _run(command: list[str], what: str, python: Path, report: Report) -> None:
    lines: deque[str] = deque(maxlen=_SHOWN_LINES)
    # -P: this folder must not be on pip's sys.path. The session gives it a process group, which the guard ends.
    with subprocess.Popen(
        [sys.executable, "-P", guard.__file__, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    ) as process:
        for line in process.stdout or ():
            if line.strip():
                lines.append(line.rstrip())
                report(line.strip())
    if process.returncode != 0:
        tool = Path(command[0]).stem
        raise PluginError(
            f"{tool} could not do its work on {what}",
            got="\n    ".join([f"{tool}'s last words:", *lines]),
            blame=f"the requirement, the network or the configuration of {tool}, for {python}",
            hint=f"correct what {tool} complains of and repeat it; PIP_FIND_LINKS names a folder of more wheels",
        )
