"""The example that counts coins, run as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import PIL.Image
from skimage import data

FOLDER = Path(__file__).parents[2] / "examples" / "count_coins"


def run(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, str(FOLDER / "main.py"), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_picture_is_the_one_it_says() -> None:
    with PIL.Image.open(FOLDER / "data" / "coins.png") as picture:
        assert np.array_equal(np.asarray(picture), data.coins())


def test_it_finds_and_measures_the_coins(tmp_path: Path) -> None:
    out = tmp_path / "coins.png"
    coins = json.loads(run("--json", "--model", "grabcut", "--out", str(out)))
    assert len(coins) == 24
    diameters = [coin["diameter"] for coin in coins]
    assert diameters == sorted(diameters, reverse=True)
    assert sum(30 < diameter < 70 for diameter in diameters) >= 22
    with PIL.Image.open(out) as picture:
        share = (np.ptp(np.asarray(picture).astype(int), axis=2) > 20).mean()
    assert 0.2 < share < 0.5


def test_the_table_for_people() -> None:
    printed = run("--model", "grabcut")
    assert "24 coins" in printed
    assert len(printed.splitlines()) > 24
