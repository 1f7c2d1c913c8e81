"""Checks in a process of their own: a plugin may hang, crash, or leave its process changed.

The parent runs this file as a script with a folder as its argument: `job.json` in it says what to do, and to
`outcomes.jsonl` goes a line when a check begins and another when it ends. Not to the standard streams, which a plugin
may print to, close or replace.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

JOB, OUTCOMES = "job.json", "outcomes.jsonl"


def main(folder: Path) -> None:
    """Do the job in a folder."""
    job: dict[str, Any] = json.loads((folder / JOB).read_text(encoding="utf-8"))
    sys.path[:] = job["path"]

    from metier.testing.catalogue import CHECKS
    from metier.testing.job import subject_of
    from metier.testing.outcome import run_checks

    with (folder / OUTCOMES).open("a", encoding="utf-8") as lines:

        def write(entry: dict[str, Any]) -> None:
            lines.write(json.dumps(entry) + "\n")
            lines.flush()

        checks = [check for check in CHECKS if check.id in job["checks"]]
        for outcome in run_checks(subject_of(job), checks, job["broken"], lambda name: write({"begun": name})):
            write(asdict(outcome))
    # A thread of the plugin's own may never end, and what it does at exit is no matter of the kit.
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
