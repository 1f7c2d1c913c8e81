"""The most memory that a piece of work held: of the process, and of the GPU where the model is on one."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from pathlib import Path
from typing import Any

import psutil

_PROC = Path("/proc/self")
_RESET_PEAK = "5"  # what the kernel takes in clear_refs for: let the high-water mark be what is held now


class Footprint:
    """Starts from what the process holds now, with what has been freed given back to the system."""

    def __init__(self) -> None:
        gc.collect()
        _give_back()
        self._before = _resident()

    def restart_peak(self) -> None:
        """Forget the peak so far, which other work may have made, and not what was held at the start."""
        try:
            (_PROC / "clear_refs").write_text(_RESET_PEAK)
            self._high_water = True
        except OSError:
            self._high_water = False
        if (cuda := _cuda()) is not None:
            cuda.reset_peak_memory_stats()

    def peak(self, device: str | None) -> int:
        """Return the most bytes held since: of the GPU for a model there, else by which the process had grown.

        Where the kernel keeps no high-water mark, it is what is held now.
        """
        if device is not None and device.startswith("cuda") and (cuda := _cuda()) is not None:
            return int(cuda.max_memory_allocated(device))
        held = _high_water() if self._high_water else _resident()
        return max(0, held - self._before)


def _give_back() -> None:
    """Let the C library return freed memory, where it can: else a model loaded anew would seem to need none."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError, TypeError):
        return


def _resident() -> int:
    return int(psutil.Process(os.getpid()).memory_info().rss)


def _high_water() -> int:
    for line in (_PROC / "status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return _resident()


def _cuda() -> Any:
    """Return torch.cuda where a plugin has imported torch and there is a GPU, else None."""
    torch = sys.modules.get("torch")
    return torch.cuda if torch is not None and torch.cuda.is_available() else None
