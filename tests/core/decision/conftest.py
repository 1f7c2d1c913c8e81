"""A stopwatch that only the models move, and a calibrator with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from metier import Runtime
from metier.decision.calibrate import Calibrator
from metier.decision.energy import EnergyMeter
from metier.decision.measure import Effort
from metier.decision.profile import Machine
from metier.decision.store import ProfileStore

MACHINE = Machine(processor="p", cores=2)
EFFORT = Effort(seconds=100.0, calls=5, batches=(4,))


class Stopwatch:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def stopwatch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def store(tmp_path: Path) -> ProfileStore:
    return ProfileStore(tmp_path / "profiles.sqlite")


@pytest.fixture
def calibrator(rt: Runtime, store: ProfileStore, stopwatch: Stopwatch, tmp_path: Path) -> Callable[..., Calibrator]:
    """Makes one of the runtime with the rule models; arguments are its fields."""

    def make(**fields: Any) -> Calibrator:
        meter = EnergyMeter(tmp_path / "no power zones", lambda: None)
        basis: dict[str, Any] = {
            "runtime": rt,
            "store": store,
            "effort": EFFORT,
            "clock": stopwatch,
            "meter": meter,
            "machine": MACHINE,
        }
        return Calibrator(**{**basis, **fields})

    return make
