"""The committed judgement of masks is what the code gives: a slice drawn at random is computed again and compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from metier import Runtime

from benchmarks.evaluate import masks
from benchmarks.evaluate.pictures import SETS, Case

RESULTS = sorted((Path(__file__).parents[2] / "docs" / "results").glob("segment-masks-*.json"))
SLICE = 8


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    """The newest result."""
    loaded: dict[str, Any] = json.loads(RESULTS[-1].read_text(encoding="utf-8"))
    return loaded


def test_means_follow_from_the_committed_overlaps(result: dict[str, Any]) -> None:
    assert {title.partition(",")[0] for title in result["rows"]} == set(SETS)
    for row in result["rows"].values():
        assert len(row["each"]) == row["objects"]
        assert row[masks.DEFAULT] == pytest.approx(float(np.mean(row["each"])), abs=1e-3)


@pytest.mark.parametrize("prompt", ["box", "click"])
def test_a_random_slice_is_as_committed(result: dict[str, Any], prompt: str) -> None:
    (coins,) = SETS["coins"]()
    chosen = np.random.default_rng(7).choice(len(coins.masks), SLICE, replace=False)
    case = Case(coins.pixels, tuple(coins.masks[i] for i in chosen))
    with Runtime() as runtime:
        ways = {masks.DEFAULT: masks.prompts(runtime)[prompt][masks.DEFAULT]}
        (found,) = masks.overlaps([case], prompt, ways).values()
    committed = [result["rows"][f"coins, {prompt}"]["each"][i] for i in chosen]
    # Another processor rounds otherwise, which moves a pixel of a border now and then.
    assert found == pytest.approx(committed, abs=0.02)


def test_overlap_is_of_the_union() -> None:
    one, other = np.zeros((2, 4, 4), dtype=np.bool_)
    one[:2], other[1:3] = True, True
    assert masks.iou(one, other) == pytest.approx(1 / 3)
    assert masks.tight(one) == (0, 0, 4, 2)
    assert masks.deepest(other)[1] in (1, 2)
