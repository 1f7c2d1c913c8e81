"""The main job, run as a user runs it: the help desk over its whole stream."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "examples" / "help_desk"


def rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / "data" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(FOLDER / "main.py"), "--json"],
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded: dict[str, Any] = json.loads(done.stdout)
    return loaded


def test_the_data_holds_what_it_says() -> None:
    stream, examples = rows("stream.csv"), rows("examples.csv")
    assert len(stream) >= 40
    assert not {row["text"] for row in stream} & {row["text"] for row in examples}
    assert {row["label"] for row in stream} == {row["label"] for row in examples}
    assert {row["answer"] for row in stream if row["answer"]} <= {row["id"] for row in rows("answers.csv")}
    texts = {row["id"]: row["text"] for row in stream}
    assert all(fact["text"] in texts[fact["id"]] for fact in rows("facts.csv"))


def test_every_text_is_triaged_and_handled(report: dict[str, Any]) -> None:
    assert report["texts"] == len(rows("stream.csv"))
    assert sum(sum(row.values()) for row in report["confusion"].values()) == report["texts"]
    called = {label: sum(row[label] for row in report["confusion"].values()) for label in report["confusion"]}
    models = report["models"]
    assert models["en-core-web-sm"]["calls"] == called["billing"]
    assert models["all-MiniLM-L6-v2"]["calls"] == report["texts"] + called["question"]
    assert models["rule: hand over"]["calls"] == called["other"]


def test_the_specialists_are_worth_their_price(report: dict[str, Any]) -> None:
    accuracy = report["accuracy"]
    few_shot, tf_idf = accuracy["few-shot embeddings (metier)"], accuracy["TF-IDF, logistic regression"]
    assert few_shot >= 0.85
    assert few_shot > tf_idf > accuracy["majority class"]
    assert report["answers"]["first"] >= 0.6 * report["answers"]["questions"]
    assert report["facts"]["recall"] >= 0.7


def test_the_table_for_people_shows_every_text() -> None:
    done = subprocess.run(
        [sys.executable, str(FOLDER / "main.py"), "--limit", "3"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for words in ("t001", "t002", "t003", "majority class", "Confusion", "all-MiniLM-L6-v2"):
        assert words in done.stdout
