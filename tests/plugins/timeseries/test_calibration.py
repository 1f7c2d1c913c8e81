"""Measuring a real model: the seasonal naive forecast, which has no weights."""

from __future__ import annotations

from pathlib import Path

from metier import Runtime
from metier.decision.calibrate import Calibrator
from metier.decision.measure import Effort
from metier.decision.store import ProfileStore


def test_a_model_of_this_plugin_is_measured_on_every_task(tmp_path: Path) -> None:
    store = ProfileStore(tmp_path / "profiles.sqlite")
    with Runtime(config={}) as runtime:
        card = runtime.model("seasonal-naive").card
        effort = Effort(seconds=20.0, calls=3, batches=(4,))
        found = {outcome.task: outcome.profile for outcome in Calibrator(runtime, store, effort).run(card)}
    assert found.keys() == {"forecast", "detect-anomalies"}
    for profile in found.values():
        assert profile is not None
        assert profile.unit == "points"
        assert profile.device == "cpu"
        assert [each.batch for each in profile.measurements][:3] == [1, 1, 1]
        assert all(0 < each.p50 <= each.p95 for each in profile.measurements)
        assert profile.load_seconds is not None
        assert profile.memory is not None
