"""An install that is killed at any moment leaves nothing that counts, and nothing that stands in the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from metier import Runtime
from metier.environments import Environment, environments
from metier.environments.making import make_environment, remove_environment
from metier.paths import environments_folder
from metier_contracts import Classify

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="there are no SIGKILL and no workers elsewhere"),
    pytest.mark.usefixtures("versions"),
]

# Dies at the first of these events of the interpreter that has the word in its arguments.
COMMAND = """
import os, signal, sys

event, word, *command = sys.argv[1:]


def die(happening, arguments):
    if happening == event and word in str(arguments):
        os.kill(os.getpid(), signal.SIGKILL)


sys.addaudithook(die)
from metier.cli import app

app(command)
"""
INSTALL = ("plugin", "install", "acme==2.0", "--isolated")
MOMENTS = {
    "its_folder_is_there": ("open", "pyvenv.cfg"),
    "half_a_virtual_environment": ("os.symlink", "python3"),
    "before_pip": ("subprocess.Popen", "guard.py"),
    "after_pip": ("subprocess.Popen", "import json, sys"),
    "the_record_is_opened": ("open", "acme.partial"),
    "the_record_is_written": ("os.rename", "acme.json"),
}


def killed(moment: tuple[str, str], *command: str) -> None:
    ended = subprocess.run([sys.executable, "-c", COMMAND, *moment, *command], stdin=subprocess.DEVNULL, check=False)
    assert ended.returncode == -signal.SIGKILL


def answered() -> str:
    with Runtime() as runtime:
        return runtime.run(Classify(text="?", labels=["1.0", "2.0"]), model="acme/m").label


def install(version: str) -> Environment:
    return make_environment(f"acme=={version}", lambda _: None)


def there() -> list[str]:
    return sorted(path.name for path in environments_folder().iterdir())


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_kill_leaves_what_was_there_and_the_next_install_removes_the_rest(moment: str) -> None:
    before = install("1.0")
    killed(MOMENTS[moment], *INSTALL)
    assert environments() == [before]
    assert len(there()) > 3
    assert answered() == "1.0"
    made = install("2.0")
    assert answered() == "2.0"
    assert there() == sorted([".lock", "acme.json", made.folder.name])


def test_pip_dies_with_the_install_and_the_first_install_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "mark"
    monkeypatch.setenv("PIP_IS_REACHED", str(mark))
    killed(("", ""), *INSTALL)
    with suppress(psutil.NoSuchProcess):
        psutil.Process(int(mark.read_text())).wait(timeout=20)
    assert environments() == []
    monkeypatch.delenv("PIP_IS_REACHED")
    made = install("2.0")
    assert there() == sorted([".lock", "acme.json", made.folder.name])


def test_a_kill_after_the_record_leaves_the_new_one_and_the_old_folder_until_the_next() -> None:
    before = install("1.0")
    killed(("shutil.rmtree", before.folder.name), *INSTALL)
    (made,) = environments()
    assert before.folder.exists()
    assert answered() == "2.0"
    assert isinstance(made, Environment)
    assert remove_environment("acme")
    assert there() == [".lock"]


def test_a_killed_uninstall_has_removed_it_and_the_next_frees_its_disk() -> None:
    made = install("1.0")
    killed(("shutil.rmtree", made.folder.name), "plugin", "uninstall", "acme")
    assert environments() == []
    assert made.folder.exists()
    assert not remove_environment("acme")
    assert there() == [".lock"]
