"""Running checks in a child process, and outliving whatever happens there."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from metier.testing import child
from metier.testing.check import Check
from metier.testing.job import job_of
from metier.testing.outcome import Outcome
from metier.testing.subject import Subject

_POLL_SECONDS = 0.05
_START_SECONDS = 120.0


def run_apart(
    subject: Subject, checks: Sequence[Check], broken: Collection[str] = (), *, timeout: float
) -> Iterator[Outcome]:
    """Run checks in a child process and yield how each ended.

    A check that takes longer than `timeout` seconds, or with which the process ends, has failed; those after it run in
    another process.
    """
    left, stopped = list(checks), set(broken)
    while left:
        for outcome in _run_child(subject, left, stopped, timeout):
            left = [check for check in left if check.id != outcome.check]
            if outcome.ended == "failed" or outcome.blocked:
                stopped.add(outcome.check)
            yield outcome


def _run_child(subject: Subject, checks: Sequence[Check], broken: Collection[str], timeout: float) -> Iterator[Outcome]:
    with tempfile.TemporaryDirectory(prefix="metier-testing-") as name:
        folder = Path(name)
        job = {
            **job_of(subject),
            "path": sys.path,
            "checks": [check.id for check in checks],
            "broken": sorted(broken),
        }
        (folder / child.JOB).write_text(json.dumps(job), encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, child.__file__, name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield from _follow(process, folder / child.OUTCOMES, timeout, [check.id for check in checks])
        finally:
            process.kill()
            process.wait()


def _follow(process: subprocess.Popen[bytes], path: Path, timeout: float, checks: Sequence[str]) -> Iterator[Outcome]:
    """Yield outcomes as they are written, and one for the check with which the process ended or hung."""
    left, read, since, limit = list(checks), 0, time.monotonic(), _START_SECONDS
    while left:
        ended = process.poll()
        entries = _entries(path, read)
        read += len(entries)
        for entry in entries:
            since = time.monotonic()
            if "begun" in entry:
                limit = timeout
            else:
                limit = _START_SECONDS
                left.remove(entry["check"])
                yield Outcome(**entry)
        if left and ended is not None and not entries:
            yield Outcome(left[0], "failed", f"the process ended with status {ended}")
            return
        if left and time.monotonic() - since > limit:
            yield Outcome(left[0], "failed", f"no end after {limit:.0f} s", seconds=limit)
            return
        if ended is None and not entries:
            time.sleep(_POLL_SECONDS)


def _entries(path: Path, skip: int) -> list[dict[str, Any]]:
    """Return the whole lines of a file after the first so many."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    return [json.loads(line) for line in lines[skip:]]
