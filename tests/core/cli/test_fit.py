from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

HEADER = ("text", "label")


@pytest.fixture
def texts(tmp_path: Path, plugins: Any) -> Path:
    plugins.write("acme", plugins.card("acme/a"), plugins.card("acme/b"), plugins.card("acme/fit", "fittable"))
    path = tmp_path / "texts.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([HEADER, *(("good", "good") if n % 2 else ("bad", "bad") for n in range(320))])
    return path


def test_a_classifier(metier: Any, texts: Path) -> None:
    ran = metier("fit", "classify", "--csv", str(texts), "--id", "mine/desk")
    assert (ran.code, ran.out) == (0, "fitted mine/desk\n")
    assert metier("run", "classify", "--text", "good", "--model", "mine/desk", "--json").json["label"] == "good"


def test_a_cascade(metier: Any, texts: Path) -> None:
    words = ("fit", "cascade", "--csv", str(texts), "--id", "mine/c", "--cheap", "acme/a", "--strong", "acme/b")
    ran = metier(*words)
    assert ran.code == 0, ran.err
    assert "random mix of equal price" in ran.out
    assert "It keeps 100.0% of 320 texts, with 0 losses and 0 gains." in ran.out
    assert metier(*words).code == 2
    assert metier(*words, "--replace", "--json").json["cascade"]["report"]["kept"] == 1
    assert "mine/c" in metier("models").out


def test_a_promise_that_the_sample_is_too_small_for(metier: Any, texts: Path) -> None:
    words = ("--csv", str(texts), "--id", "mine/c", "--cheap", "acme/a", "--strong", "acme/b", "--max-loss", "0.001")
    ran = metier("fit", "cascade", *words)
    assert ran.code == 2
    assert "2,995" in ran.err


def test_a_file_without_labels(metier: Any, tmp_path: Path, plugins: Any) -> None:
    path = tmp_path / "bare.csv"
    path.write_text("text\ngood\n")
    ran = metier("fit", "classify", "--csv", str(path), "--id", "mine/desk")
    assert ran.code == 2
    assert "'label'" in ran.err
