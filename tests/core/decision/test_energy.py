"""Energy, by a folder that looks like the kernel's."""

from __future__ import annotations

from pathlib import Path

import pytest
from metier.decision.energy import EnergyMeter


class Powercap:
    """A folder with power zones."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def set(self, zone: str, name: str, microjoules: int | str, wraps_at: int = 1_000_000_000) -> None:
        path = self.folder / zone
        path.mkdir(exist_ok=True)
        for file, value in (("name", name), ("energy_uj", microjoules), ("max_energy_range_uj", wraps_at)):
            (path / file).write_text(f"{value}\n")


@pytest.fixture
def powercap(tmp_path: Path) -> Powercap:
    return Powercap(tmp_path)


def no_gpu() -> None:
    return None


def test_the_packages_are_summed_and_their_parts_not_counted_twice(powercap: Powercap) -> None:
    zones = {"intel-rapl:0": "package-0", "intel-rapl:0:0": "core", "intel-rapl:1": "package-1", "intel-rapl:2": "psys"}
    for zone, name in zones.items():
        powercap.set(zone, name, 5_000_000)
    since = EnergyMeter(powercap.folder, no_gpu).start()
    for zone, name in zones.items():
        powercap.set(zone, name, 7_500_000)
    assert since() == pytest.approx(5.0)


def test_a_counter_that_starts_again_is_followed(powercap: Powercap) -> None:
    powercap.set("intel-rapl:0", "package-0", 9_000_000, wraps_at=10_000_000)
    since = EnergyMeter(powercap.folder, no_gpu).start()
    powercap.set("intel-rapl:0", "package-0", 2_000_000, wraps_at=10_000_000)
    assert since() == pytest.approx(3.0)


def test_gpus_count_too() -> None:
    readings = iter([10.0, 14.5])
    since = EnergyMeter(Path("/nowhere"), lambda: next(readings)).start()
    assert since() == pytest.approx(4.5)


@pytest.mark.parametrize("content", ["", "no number"])
def test_what_cannot_be_read_is_not_told(powercap: Powercap, content: str) -> None:
    powercap.set("intel-rapl:0", "package-0", content)
    assert EnergyMeter(powercap.folder, no_gpu).start()() is None


def test_a_system_without_counters_tells_nothing(tmp_path: Path) -> None:
    assert EnergyMeter(tmp_path / "none", no_gpu).start()() is None


def test_a_counter_that_goes_away_is_left_out(powercap: Powercap) -> None:
    powercap.set("intel-rapl:0", "package-0", 1_000_000)
    since = EnergyMeter(powercap.folder, no_gpu).start()
    (powercap.folder / "intel-rapl:0" / "energy_uj").unlink()
    assert since() is None
