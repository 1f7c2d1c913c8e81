"""The committed judgement of JSON by a schema is what the code gives: a slice drawn at random is computed again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from metier import Runtime
from metier_contracts import Generation

from benchmarks.evaluate import structures
from benchmarks.evaluate.schemas import Case, corpus, coverage

RESULTS = sorted((Path(__file__).parents[2] / "docs" / "results").glob("generate-schemas-*.json"))
CASES = corpus()
SLICE = 3


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    """The newest result."""
    loaded: dict[str, Any] = json.loads(RESULTS[-1].read_text(encoding="utf-8"))
    return loaded


def test_counts_follow_from_the_committed_verdicts(result: dict[str, Any]) -> None:
    assert result["coverage"] == coverage([case.schema for case in CASES])
    for row in result["rows"].values():
        assert row["schemas"] == len(row["each"]) == len(CASES)
        assert (row["valid"], row["out of tokens"]) == (row["each"].count("v"), row["each"].count("c"))


def test_every_text_that_is_held_is_valid_and_most_free_ones_are_not(result: dict[str, Any]) -> None:
    rows = result["rows"]
    assert rows["held to the schema"]["valid"] == len(CASES)
    assert rows["free, fences cut"]["valid"] < len(CASES) // 2


@pytest.mark.parametrize(("row", "held"), [("held to the schema", True), ("free", False)])
def test_a_random_slice_is_as_committed(result: dict[str, Any], row: str, held: bool) -> None:
    chosen = np.random.default_rng(11).choice(len(CASES), SLICE, replace=False)
    cases = [CASES[index] for index in chosen]
    with Runtime() as runtime:
        answers = runtime.map([structures.asked(case, held=held) for case in cases], model=structures.MODEL)
        verdicts = [structures.verdict(case, answer) for case, answer in zip(cases, answers, strict=True)]
    assert verdicts == [result["rows"][row]["each"][index] for index in chosen]


def test_verdicts() -> None:
    case = Case("a number", "Count.", {"type": "integer"}, 1)
    stopped = Generation(text="```json\n7\n```", finish_reason="stop", input_tokens=1, output_tokens=1)
    assert structures.verdict(case, stopped) == "x"
    assert structures.verdict(case, structures.unfenced(stopped)) == "v"
    assert structures.verdict(case, stopped.replaced(text="7")) == "v"
    assert structures.verdict(case, stopped.replaced(text="7", finish_reason="length")) == "c"
