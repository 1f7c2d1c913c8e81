"""`python -m benchmarks.evaluate [NAME...]`: judge models, and write what they did to docs/results/*.json."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.evaluate import (
    forecasts,
    masks,
    molecules,
    packages,
    power,
    promise,
    selection,
    sentiment,
    social,
    structures,
    transfers,
)

RESULTS = Path(__file__).parents[2] / "docs" / "results"
JUDGEMENTS: dict[str, Callable[[], dict[str, Any]]] = {
    "classify-sentiment": sentiment.judge,
    "cascade-promise": promise.judge,
    "cascade-power": power.judge,
    "segment-masks": masks.judge,
    "forecast-settings": selection.judge,
    "forecast-tourism": partial(forecasts.judge, "Tourism"),
    "forecast-m3": partial(forecasts.judge, "M3"),
    "graph-social": social.judge,
    "graph-packages": packages.judge,
    "graph-transfers": transfers.judge,
    "graph-molecules": molecules.judge,
    "generate-schemas": structures.judge,
}


def main() -> int:
    """Judge, and write one file for each judgement."""
    parser = argparse.ArgumentParser(prog="scripts/evaluate", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*JUDGEMENTS, []], metavar="NAME", help=", ".join(JUDGEMENTS))
    parser.add_argument("--out", type=Path, default=RESULTS, help="the folder to write to")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or JUDGEMENTS:
        today = datetime.now(UTC).date().isoformat()
        origin = {"date": today, "command": f"scripts/evaluate {name}", "machine": machine.describe()}
        path = arguments.out / f"{name}-{today}.json"
        path.write_text(json.dumps(JUDGEMENTS[name]() | origin, indent=1) + "\n", encoding="utf-8")
        print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
