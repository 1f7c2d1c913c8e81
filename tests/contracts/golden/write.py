"""Write the golden files of this minor: `PYTHONPATH=contracts python -m tests.contracts.golden.write`.

Run it once when the minor of CONTRACT_VERSION rises, and commit the new folder. The folder of a minor that has been
released is never written again: it is what the peers out there send.
"""

import json
import sys
from pathlib import Path
from typing import Any

from metier_contracts import CONTRACT_VERSION, TASKS
from metier_contracts.task import wire_schema

from ..samples import FITS, RECORDS

FOLDER = Path(__file__).parent / CONTRACT_VERSION


def wire_forms() -> dict[str, Any]:
    """Return the wire form of every sample."""
    return {name: json.loads(record.to_json()) for name, record in RECORDS.items()}


def schemas() -> dict[str, Any]:
    """Return the schemas of requests, responses, chunks and fit requests."""
    of_tasks = {f"{task}.{part}": one for task in TASKS for part, one in TASKS[task].json_schema().items()}
    return {**of_tasks, **{name: wire_schema(type(fit)) for name, fit in FITS.items() if "." not in name}}


def main() -> int:
    """Write both files, unless they are there."""
    if FOLDER.exists():
        print(f"{FOLDER} is there: raise the minor of CONTRACT_VERSION first", file=sys.stderr)
        return 1
    FOLDER.mkdir()
    for name, content in (("wire", wire_forms()), ("schemas", schemas())):
        text = json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True)
        (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
