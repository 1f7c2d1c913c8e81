"""The most memory that a piece of work held."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from metier.decision import footprint
from metier.decision.footprint import Footprint

MEGABYTES = 10**6
WORK = 80 * MEGABYTES
SLACK = 5 * MEGABYTES  # the kernel sums what each core has counted only now and then

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a high-water mark that can be reset")


def work() -> None:
    np.ones(WORK // 8)


@linux
def test_the_peak_is_what_was_held_for_a_while() -> None:
    mark = Footprint()
    mark.restart_peak()
    work()
    assert mark.peak("cpu") == pytest.approx(WORK, abs=SLACK)


@linux
def test_what_was_held_before_the_peak_restarts_does_not_count() -> None:
    mark = Footprint()
    work()
    mark.restart_peak()
    assert mark.peak("cpu") < SLACK


@linux
def test_what_is_held_from_the_start_on_counts() -> None:
    mark = Footprint()
    held = np.ones(WORK // 8)
    mark.restart_peak()
    assert mark.peak(None) >= held.nbytes - SLACK


def test_without_a_high_water_mark_what_is_held_now_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footprint, "_PROC", tmp_path / "none")
    mark = Footprint()
    mark.restart_peak()
    held = np.ones(WORK // 8)
    assert mark.peak("cpu") >= held.nbytes - SLACK


def test_of_a_model_on_a_gpu_the_gpus_memory_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = ModuleType("torch")
    resets: list[bool] = []
    torch.cuda = SimpleNamespace(  # type: ignore[attr-defined]
        is_available=lambda: True,
        reset_peak_memory_stats=lambda: resets.append(True),
        max_memory_allocated=lambda device: {"cuda:1": 12345}[device],
    )
    monkeypatch.setitem(sys.modules, "torch", torch)
    mark = Footprint()
    mark.restart_peak()
    assert mark.peak("cuda:1") == 12345
    assert resets == [True]
