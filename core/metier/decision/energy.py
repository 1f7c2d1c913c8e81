"""The energy that a piece of work took, where the system tells it: RAPL of the processor, NVML of the GPUs.

Both count for the whole package, so that what else runs meanwhile is counted too. Many systems let only the superuser
read RAPL: then nothing is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from metier.decision import nvml

POWERCAP = Path("/sys/class/powercap")


@dataclass(frozen=True)
class _Counter:
    """A count of joules that starts again at 0 after `wraps_at`."""

    joules: float
    wraps_at: float


@dataclass(frozen=True)
class EnergyMeter:
    """Reads the counters. `powercap`: the folder of the kernel's power zones; `gpus`: the joules of all GPUs so far."""

    powercap: Path = POWERCAP
    gpus: Callable[[], float | None] = nvml.energy_joules

    def start(self) -> Callable[[], float | None]:
        """Start counting; the function returned says the joules since, None where the system does not tell."""
        before = self._packages()
        gpus_before = self.gpus()

        def since() -> float | None:
            after = self._packages()
            used = [_used(before[zone], after[zone]) for zone in before if zone in after]
            gpus_after = self.gpus()
            if gpus_before is not None and gpus_after is not None:
                used.append(gpus_after - gpus_before)
            return sum(used) if used else None

        return since

    def _packages(self) -> dict[str, _Counter]:
        """Return the counter of each processor package: a zone `intel-rapl:N`, on AMD's processors too."""
        counters = {}
        for zone in sorted(self.powercap.glob("intel-rapl:*")):
            if zone.name.count(":") == 1 and (counter := _read(zone)) is not None:
                counters[zone.name] = counter
        return counters


def _read(zone: Path) -> _Counter | None:
    try:
        # A zone "psys" counts the whole board, the packages among it.
        if not (zone / "name").read_text().startswith("package"):
            return None
        used, most = (int((zone / name).read_text()) / 1e6 for name in ("energy_uj", "max_energy_range_uj"))
    except (OSError, ValueError):
        return None
    return _Counter(used, most)


def _used(before: _Counter, after: _Counter) -> float:
    spent = after.joules - before.joules
    return spent if spent >= 0 else spent + after.wraps_at
