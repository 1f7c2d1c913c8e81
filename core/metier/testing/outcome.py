"""`Outcome`: how a check ended, and the loop that lets checks end so."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from metier.lane import INTERRUPTS
from metier.testing.check import Check
from metier.testing.finding import Failure, NotApplicable
from metier.testing.subject import Subject

Ended = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True)
class Outcome:
    """How a check ended on one subject. `detail`: what came instead, or why the check was skipped.

    `blocked`: it was skipped because one that it needs did not pass.
    """

    check: str
    ended: Ended
    detail: str = ""
    seconds: float = 0.0
    blocked: bool = False


def run_checks(
    subject: Subject,
    checks: Sequence[Check],
    broken: Collection[str] = (),
    begin: Callable[[str], object] = lambda _: None,
) -> Iterator[Outcome]:
    """Run checks in their order and yield how each ended.

    Args:
        subject: what they look at.
        checks: which.
        broken: the checks that failed before; those that need one of them are skipped.
        begin: called with a check's id before it runs.
    """
    stopped = set(broken)
    for check in checks:
        missing = [name for name in check.needs if name in stopped]
        if missing:
            stopped.add(check.id)
            yield Outcome(check.id, "skipped", f"needs {', '.join(missing)}", blocked=True)
            continue
        begin(check.id)
        outcome = _run(check, subject)
        if outcome.ended == "failed":
            stopped.add(check.id)
        yield outcome


def _run(check: Check, subject: Subject) -> Outcome:
    started = time.perf_counter()
    ended: Ended = "passed"
    detail = ""
    try:
        check.run(subject)
    except NotApplicable as reason:
        ended, detail = "skipped", str(reason)
    except INTERRUPTS:
        raise
    except BaseException as error:
        ended, detail = "failed", str(error) if isinstance(error, Failure) else f"{type(error).__name__}: {error}"
    return Outcome(check.id, ended, detail, time.perf_counter() - started)
