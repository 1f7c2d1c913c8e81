"""The example, run as a user runs it, and the reading of a threshold off quantiles."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from metier_contracts import ForecastResult

FOLDER = Path(__file__).parents[2] / "examples" / "time_to_threshold"


@pytest.fixture(scope="module")
def threshold() -> Any:
    spec = importlib.util.spec_from_file_location("threshold_of_the_example", FOLDER / "threshold.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def answers() -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, str(FOLDER / "main.py"), "--json"],
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded: list[dict[str, Any]] = json.loads(done.stdout)
    return loaded


def result(rows: list[list[float]]) -> ForecastResult:
    return ForecastResult(mean=[row[1] for row in rows], quantiles=np.array(rows), quantile_levels=(0.1, 0.5, 0.9))


def test_probabilities_lie_between_the_quantiles(threshold: Any) -> None:
    forecast = result([[0.0, 1.0, 2.0]] * 2)
    assert threshold.probability_above(forecast, 1.5) == pytest.approx([0.3, 0.3])
    assert threshold.probability_above(forecast, 9.0) == pytest.approx([0.0, 0.0])
    assert threshold.probability_above(forecast, -9.0) == pytest.approx([1.0, 1.0])


def test_the_three_dates_follow_one_another(threshold: Any) -> None:
    forecast = result([[step - 3.0, float(step), step + 3.0] for step in range(1, 13)])
    found = threshold.passing(forecast, 4.9)
    assert (found.early, found.middle, found.late) == (2, 5, 8)


def test_a_limit_out_of_reach_has_no_date(threshold: Any) -> None:
    found = threshold.passing(result([[0.0, 1.0, 2.0]]), 50.0)
    assert (found.early, found.middle, found.late) == (None, None, None)


def test_the_dates_are_near_the_truth(answers: list[dict[str, Any]]) -> None:
    assert len(answers) == 9
    assert all(answer["middle"] for answer in answers)
    assert np.mean([abs(answer["months_off"]) for answer in answers]) < 4
    assert sum(answer["within"] for answer in answers) >= 7
