"""Which heavy modules an import brings."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

_CHECK = """
import sys
import MODULE
found = sorted(set(sys.modules) & set(sys.argv[1:]))
sys.exit(", ".join(found) if found else 0)
"""


def heavy_imports_of(module: str, heavy: Sequence[str]) -> str:
    """Return those of `heavy` that importing `module` in a fresh interpreter brings, and what else went wrong."""
    command = [sys.executable, "-c", _CHECK.replace("MODULE", module), *heavy]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr.strip()
