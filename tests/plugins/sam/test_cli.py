"""`metier run segment`, as a person types it, with OpenCV behind it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from metier.cli import app
from metier_contracts import Segmentation
from typer.testing import CliRunner


@pytest.fixture
def picture(coins: Any, tmp_path: Path) -> Path:
    PIL.Image.fromarray(coins).save(tmp_path / "coins.png")
    return tmp_path / "coins.png"


def run(*words: str) -> Any:
    return CliRunner().invoke(app, ["run", "segment", *words, "--model", "grabcut"])


def test_an_overlay_is_written(picture: Path, coins: Any, tmp_path: Path) -> None:
    out = tmp_path / "overlay.png"
    ran = run("--image", str(picture), "--box", "18,31,72,78", "--box", "312,150,382,222", "--out", str(out))
    assert ran.exit_code == 0, ran.stderr
    assert [line.split()[0] for line in ran.stdout.splitlines()] == ["mask", "0", "1"]
    assert "grabcut on cpu" in ran.stderr
    with PIL.Image.open(out) as written:
        pixels = np.asarray(written.convert("RGB")).astype(int)
    assert pixels.shape == coins.shape
    coloured = np.ptp(pixels, axis=2) > 20  # the photograph is grey
    assert coloured[45:70, 30:60].mean() > 0.9
    assert coloured[180:215, 320:375].mean() > 0.9
    assert coloured[85:145].mean() < 0.01


def test_json_beside_an_overlay(picture: Path, tmp_path: Path) -> None:
    out = tmp_path / "overlay.jpg"
    ran = run("--image", str(picture), "--box", "18,31,72,78", "--off-point", "20,33", "-o", str(out), "--json")
    answer = Segmentation.from_json(ran.stdout)
    assert json.loads(ran.stdout)["masks"]["size"] == [303, 384]
    assert 500 < answer.masks.sum() < 54 * 47
    assert out.stat().st_size > 1000


def test_a_file_that_cannot_be_written(picture: Path, tmp_path: Path) -> None:
    (tmp_path / "taken.png").mkdir()
    ran = run("--image", str(picture), "--box", "18,31,72,78", "--out", str(tmp_path / "taken.png"))
    assert ran.exit_code == 1
    assert "--out" in ran.stderr
