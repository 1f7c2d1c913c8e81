"""mypy and pyright see which response a request names, and refuse what is wrong."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import metier_contracts
import pytest

SNIPPET = Path(__file__).with_name("typing_snippet.py")
SOURCES = str(Path(metier_contracts.__file__).parents[1])


def _expected() -> tuple[dict[int, str], set[int]]:
    """Return the type that each line reveals, and the lines that must be refused."""
    revealed, refused = {}, set()
    for number, line in enumerate(SNIPPET.read_text(encoding="utf-8").splitlines(), start=1):
        code, _, comment = line.partition("  # ")
        if code.startswith("reveal_type("):
            revealed[number] = comment
        elif comment == "error":
            refused.add(number)
    return revealed, refused


def _plain(revealed: str) -> str:
    """Drop module names, and write a union of literals as one Literal."""
    short = re.sub(r"\b(?:\w+\.)+(?=\w)", "", revealed)
    return short.replace("'] | Literal['", "', '")


def test_mypy_sees_the_types(request: pytest.FixtureRequest) -> None:
    cache = request.config.cache.mkdir("mypy-contracts") if request.config.cache else Path(os.devnull)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", str(cache), str(SNIPPET)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "MYPYPATH": SOURCES})
    revealed, refused = {}, set()
    for line in done.stdout.splitlines():
        if match := re.match(r'.*typing_snippet\.py:(\d+): note: Revealed type is "(.*)"', line):
            revealed[int(match[1])] = _plain(match[2])
        elif match := re.match(r".*typing_snippet\.py:(\d+): error: ", line):
            refused.add(int(match[1]))
        else:
            assert ": error: " not in line
    assert (revealed, refused) == _expected(), done.stdout + done.stderr


def test_pyright_sees_the_types(tmp_path: Path) -> None:
    (tmp_path / SNIPPET.name).write_bytes(SNIPPET.read_bytes())
    config = {"include": [SNIPPET.name], "extraPaths": [SOURCES], "pythonVersion": "3.11"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(config), encoding="utf-8")
    command = [sys.executable, "-m", "pyright", "-p", str(tmp_path), "--pythonpath", sys.executable, "--outputjson"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    revealed, refused = {}, set()
    for found in json.loads(done.stdout)["generalDiagnostics"]:
        line = found["range"]["start"]["line"] + 1
        if match := re.fullmatch(r'Type of ".*" is "(.*)"', found["message"]):
            revealed[line] = _plain(match[1])
        elif found["severity"] == "error":
            refused.add(line)
    assert (revealed, refused) == _expected(), done.stdout


def test_the_snippet_reveals_and_refuses() -> None:
    revealed, refused = _expected()
    assert len(revealed) >= 10
    assert len(refused) >= 8
