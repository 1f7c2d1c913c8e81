"""The example that puts one request to two architectures, run as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

MAIN = Path(__file__).parents[2] / "examples" / "two_architectures" / "main.py"
TEXTS = 20


def run(*words: str) -> str:
    done = subprocess.run([sys.executable, str(MAIN), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_specialist_is_smaller_and_right_more_often() -> None:
    specialist, language = json.loads(run("--json", "--limit", str(TEXTS)))
    assert (specialist["model"], language["model"]) == ("all-MiniLM-L6-v2", "smollm2-135m-instruct")
    assert specialist["parameters"] < language["parameters"]
    assert 1 >= specialist["accuracy"] > language["accuracy"] >= 0
    assert all((judged["accuracy"] * TEXTS).is_integer() for judged in (specialist, language))


def test_the_table_for_people() -> None:
    printed = run("all-MiniLM-L6-v2", "--limit", "4")
    assert "4 texts" in printed
    assert "23 M" in printed
