"""The machine, and NVIDIA's library by a fake."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from metier.decision import machine, nvml

OK, NOT_SUPPORTED = 0, 3


class Library:
    """Answers as libnvidia-ml does, for two GPUs of which the second does not tell its energy."""

    names = (b"NVIDIA H200", b"Tesla K80")

    def nvmlInit_v2(self) -> int:  # noqa: N802
        return OK

    def nvmlDeviceGetCount_v2(self, count: Any) -> int:  # noqa: N802
        count._obj.value = len(self.names)
        return OK

    def nvmlDeviceGetHandleByIndex_v2(self, index: ctypes.c_uint, handle: Any) -> int:  # noqa: N802
        handle._obj.value = index.value + 1
        return OK

    def nvmlDeviceGetName(self, handle: ctypes.c_void_p, buffer: Any, length: Any) -> int:  # noqa: N802
        buffer.value = self.names[(handle.value or 0) - 1]
        return OK

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: ctypes.c_void_p, used: Any) -> int:  # noqa: N802
        used._obj.value = 2500
        return OK if handle.value == 1 else NOT_SUPPORTED


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    fake = Library()
    monkeypatch.setattr(nvml.ctypes, "CDLL", lambda name: fake)
    nvml._library.cache_clear()
    yield fake
    nvml._library.cache_clear()


def test_the_gpus_are_named_and_tell_their_energy(library: Library) -> None:
    assert nvml.accelerators() == ("NVIDIA H200", "Tesla K80")
    assert nvml.energy_joules() == pytest.approx(2.5)


def test_without_a_driver_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(nvml.ctypes, "CDLL", missing)
    nvml._library.cache_clear()
    assert nvml.accelerators() == ()
    assert nvml.energy_joules() is None
    nvml._library.cache_clear()


def test_the_processor_is_named_as_the_kernel_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: Fast Chip 9000\nmodel name\t: Fast Chip 9000\n")
    monkeypatch.setattr(machine, "_CPUINFO", cpuinfo)
    machine.this_machine.cache_clear()
    assert machine.this_machine().processor == "Fast Chip 9000"
    machine.this_machine.cache_clear()
    monkeypatch.setattr(machine, "_CPUINFO", tmp_path / "none")
    assert machine.this_machine().processor
    machine.this_machine.cache_clear()
