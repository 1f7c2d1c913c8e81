"""NVIDIA's management library, which comes with the driver: the names of GPUs and the energy they have used.

It is asked through ctypes, so that neither torch nor a package of bindings is imported for it.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

_NAME_BYTES = 96
_LIBRARY = "libnvidia-ml.so.1"


def accelerators() -> tuple[str, ...]:
    """Return the names of the GPUs in the order of the PCI bus; () where there is no driver."""
    return tuple(name for handle in _handles() if (name := _name(handle)) is not None)


def energy_joules() -> float | None:
    """Return the joules that all GPUs have used since the driver was loaded; None where they do not tell."""
    used = [joules for handle in _handles() if (joules := _energy(handle)) is not None]
    return sum(used) if used else None


@cache
def _library() -> Any:
    try:
        library = ctypes.CDLL(_LIBRARY)
        return library if library.nvmlInit_v2() == 0 else None
    except (OSError, AttributeError):
        return None


def _handles() -> list[ctypes.c_void_p]:
    library = _library()
    count = ctypes.c_uint()
    if library is None or library.nvmlDeviceGetCount_v2(ctypes.byref(count)) != 0:
        return []
    handles = []
    for index in range(count.value):
        handle = ctypes.c_void_p()
        if library.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(index), ctypes.byref(handle)) == 0:
            handles.append(handle)
    return handles


def _name(handle: ctypes.c_void_p) -> str | None:
    buffer = ctypes.create_string_buffer(_NAME_BYTES)
    if _library().nvmlDeviceGetName(handle, buffer, ctypes.c_uint(_NAME_BYTES)) != 0:
        return None
    return buffer.value.decode("utf-8", errors="replace")


def _energy(handle: ctypes.c_void_p) -> float | None:
    millijoules = ctypes.c_ulonglong()
    if _library().nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(millijoules)) != 0:
        return None
    return millijoules.value / 1000
