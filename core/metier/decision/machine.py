"""What this machine is, told without importing torch."""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path

from metier.decision import nvml
from metier.decision.profile import Machine
from metier.devices import torch_version

_CPUINFO = Path("/proc/cpuinfo")


@cache
def this_machine() -> Machine:
    """Return the processor, the cores that this process may use, the GPUs and the version of torch."""
    return Machine(processor=_processor(), cores=_cores(), accelerators=nvml.accelerators(), torch=torch_version())


def _processor() -> str:
    try:
        lines = _CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
