"""The machine: what there is to compute on, and whether a GPU stands idle."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence

from metier.config import Config
from metier.devices import DeviceQuery, torch_version
from metier.memory import default_budget, format_bytes, machine_bytes


def describe(query: DeviceQuery) -> dict[str, str]:
    """Return the versions, the devices that torch can use, and the memory, each in words."""
    cuda = [f"cuda:{index}" for index in range(query.cuda_count())]
    return {
        "python": platform.python_version(),
        "torch": torch_version() or "not installed",
        "devices": ", ".join(["cpu", *cuda, *(["mps"] if query.mps_available() else [])]),
        "memory": f"{format_bytes(machine_bytes())}, of which models may take {format_bytes(default_budget())}",
    }


def unused_gpus(
    present: Sequence[str],
    query: DeviceQuery,
    config: Config,
    *,
    torch: str | None,
    environment: Mapping[str, str] = os.environ,
) -> str | None:
    """Return why GPUs that the driver shows are not used, and what to do; None where all are, or there are none.

    Args:
        present: the GPUs that the driver shows, by name.
        query: what torch can use.
        config: the settings.
        torch: the version of torch, None where it is not installed.
        environment: the variables of the process.
    """
    usable = query.cuda_count() if present and torch is not None else 0
    if not present or (usable == len(present) and config.device != "cpu"):
        return None
    gpus = f"{len(present)} GPU{'s' if len(present) > 1 else ''} ({', '.join(dict.fromkeys(present))})"
    if torch is None:
        return f"{gpus}: not used, since torch is not installed; pip install torch"
    if (hidden := environment.get("CUDA_VISIBLE_DEVICES")) is not None and usable < len(present):
        return f"{gpus}: torch may use {usable}, since CUDA_VISIBLE_DEVICES={hidden}; unset it"
    if usable == len(present):
        return f'{gpus}: not used, since device = "cpu" in the settings; set "auto"'
    if usable:
        return f"{gpus}: torch can use {usable} of them; update the driver, or see `nvidia-smi`"
    if torch.endswith("+cpu"):
        return f"{gpus}: not used, since torch {torch} is built for the CPU; install a CUDA build of torch"
    return f"{gpus}: not used, since torch {torch} finds no CUDA device; install a build for this driver (`nvidia-smi`)"
