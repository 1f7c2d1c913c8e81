"""What a figure was measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

from metier.decision.machine import this_machine

PACKAGES = (
    "metier",
    "torch",
    "transformers",
    "sentence-transformers",
    "scikit-learn",
    "segment-anything",
    "torch-geometric",
    "numpy",
)


def describe() -> dict[str, object]:
    """Return the processor, its cores, the system and the versions of the libraries that do the work."""
    return {
        "processor": this_machine().processor,
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: _version(name) for name in PACKAGES},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
