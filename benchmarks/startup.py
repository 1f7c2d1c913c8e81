"""How long `import metier` takes, and what installed plugins cost a listing."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.figures import Figure, at_most, interleaved, median_difference
from benchmarks.plugins import install

_SLOW_PLUGIN = "import time\n\nimport torch\n\ntime.sleep(5)\n"


def measure(rounds: int = 15) -> list[Figure]:
    """Measure in processes of their own."""
    return [*_imports(rounds), *_listing(rounds)]


def _imports(rounds: int) -> list[Figure]:
    bare = statistics.median(_import_seconds("import metier") for _ in range(rounds))
    used = statistics.median(_import_seconds("from metier import Runtime") for _ in range(rounds))
    return [
        at_most("import metier, median", bare, "s", 0.25),
        Figure("from metier import Runtime, median", used, "s"),
    ]


def _import_seconds(statement: str) -> float:
    """Return the sum of all imports' own times, as -X importtime reports them."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", statement], capture_output=True, text=True, check=True
    )
    loaded = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines()]
    heavy = {"torch", "transformers", "pandas", "sklearn"} & set(loaded)
    if heavy:
        raise RuntimeError(f"{statement!r} loads {', '.join(sorted(heavy))}")
    own = [int(found[1]) for line in done.stderr.splitlines() if (found := re.match(r"import time:\s+(\d+) \|", line))]
    return sum(own) / 1e6


def _listing(rounds: int) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        for number in range(25):
            install(Path(folder), f"slow{number}", _SLOW_PLUGIN)
        with_plugins, without = (lambda: _list_models(folder)), (lambda: _list_models(None))
        busy, idle = interleaved([with_plugins, without], rounds)
    return [
        Figure("metier models, no plugin beside metier's own, median", statistics.median(idle), "s"),
        at_most("metier models with 25 plugins, median difference", median_difference(busy, idle) * 1000, "ms", 50),
    ]


def _list_models(site: str | None) -> None:
    path = os.pathsep.join(filter(None, [site, os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-m", "metier", "models", "--json"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    if (site is not None) != ("slow24-model" in done.stdout):
        raise RuntimeError(f"the listing is not what was installed: {done.stdout[:200]}")
