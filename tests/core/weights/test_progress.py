import os
import re
import subprocess
import sys

import pytest
from metier.weights import terminal_progress

DRAW = """
import sys
from metier.weights import terminal_progress
with terminal_progress("pull [x]/y") as report:
    for done in map(int, sys.argv[2:]):
        report(done, None if sys.argv[1] == "unknown" else int(sys.argv[1]))
"""


def test_nothing_is_drawn_where_stderr_is_no_terminal(capfd):
    with terminal_progress("pull") as report:
        report(1, 2)
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_nothing_is_drawn_without_a_stderr(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with terminal_progress("pull") as report:
        report(1, None)


def draw(*arguments):
    """Return what the script writes on a terminal, without the control sequences."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "TERM": "xterm"}
    with subprocess.Popen([sys.executable, "-c", DRAW, *arguments], stderr=theirs, env=environment) as process:
        os.close(theirs)
        output = b"".join(iter(lambda: read(ours), b""))
    os.close(ours)
    assert process.returncode == 0
    return re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", output.decode())


def read(descriptor):
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux's word for the end of a terminal
        return b""


def test_a_bar_where_the_total_is_known():
    output = draw("4000", "1000", "4000")
    assert "pull [x]/y" in output
    assert "100%" in output
    assert "4.0/4.0 kB" in output


def test_a_spinner_where_it_is_not():
    output = draw("unknown", "1000", "4000")
    assert "pull [x]/y" in output
    assert "%" not in output
    assert "4.0" in output


def test_nothing_before_the_first_call():
    assert draw("4000") == ""


def test_importing_the_package_imports_nothing_heavy():
    heavy = {"torch", "huggingface_hub", "rich", "filelock", "httpx", "httpx2"}
    script = f"import metier.weights, sys; print(sorted({heavy!r} & sys.modules.keys()))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    assert result.stdout == "[]\n"
