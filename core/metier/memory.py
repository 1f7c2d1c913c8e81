"""Byte quantities: reading "4GB", and how much memory this machine has."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_QUANTITY = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]i?)?b?\s*", re.IGNORECASE)
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
DEFAULT_SHARE = 0.8


def parse_bytes(text: str) -> int:
    """Return the bytes that "512MB", "4GiB" or "1000" stand for; raise ValueError for anything else."""
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f'a number of bytes such as 4000000000, "4GB" or "4GiB", got {text!r}')
    return int(Decimal(match[1]) * _UNITS[(match[2] or "").lower()])


def format_bytes(count: int) -> str:
    """Return a count of bytes for people: 90.9 MB."""
    if count < 1000:
        return f"{count} B"
    value = float(count)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if round(value, 1) < 1000:
            return f"{value:.1f} {unit}"
    return f"{value / 1000:.1f} TB"


def machine_bytes() -> int:
    """Return the memory that this process may use: the machine's, or its control group's limit where that is less."""
    import psutil

    total = int(psutil.virtual_memory().total)
    try:
        return min(total, int(_CGROUP_LIMIT.read_text()))
    except (OSError, ValueError):
        return total


def default_budget() -> int:
    """Return the budget for loaded models where the user sets none."""
    return int(machine_bytes() * DEFAULT_SHARE)
