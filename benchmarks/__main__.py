"""`python -m benchmarks [NAME...]`: measure speed here, in ratios and paired differences, and print the figures."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import generation, graphs, isolation, machine, overhead, plans, segmentation, startup, throughput
from benchmarks.figures import Figure

BENCHES: dict[str, Callable[[], list[Figure]]] = {
    "startup": startup.measure,
    "overhead": overhead.measure,
    "throughput": throughput.measure,
    "segment": segmentation.measure,
    "graph": graphs.measure,
    "generate": generation.measure,
    "plan": plans.measure,
    "isolation": isolation.measure,
}


def main() -> int:
    """Measure, print, and return 1 where a figure misses its goal."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHES, []], metavar="NAME", help=", ".join(BENCHES))
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    figures = [figure for name in arguments.names or BENCHES for figure in BENCHES[name]()]
    if arguments.json:
        print(json.dumps(_record(arguments.names, figures), indent=1))
    else:
        _print(figures)
    return int(any(figure.met is False for figure in figures))


def _record(names: Sequence[str], figures: Sequence[Figure]) -> dict[str, Any]:
    """Return what docs/results keeps and docs/performance.md shows."""
    return {
        "title": f"Speed: {', '.join(names or BENCHES)}",
        "date": datetime.now(UTC).date().isoformat(),
        "command": " ".join(["scripts/bench --json", *names]),
        "machine": machine.describe(),
        "figures": [asdict(figure) for figure in figures],
    }


def _print(figures: Sequence[Figure]) -> None:
    table = Table("figure", "value", "goal", "")
    for figure in figures:
        verdict = {True: "met", False: "MISSED", None: ""}[figure.met]
        table.add_row(figure.name, f"{figure.value:.4g} {figure.unit}", figure.goal, verdict)
    Console(width=None if Console().is_terminal else 140).print(table)
    for name, value in machine.describe().items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    raise SystemExit(main())
