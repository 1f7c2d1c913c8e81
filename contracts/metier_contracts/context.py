"""`CallContext`: what the runtime tells a model about the call besides the requests."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from metier_contracts.errors import Cancelled, DeadlineExceeded

_POLL_SECONDS = 0.02


class Cancellation:
    """Whether the callers asked to stop. Nobody waits for it, so it is a flag rather than a `threading.Event`."""

    __slots__ = ("_asked",)

    def __init__(self) -> None:
        self._asked = False

    def set(self) -> None:
        """Ask to stop."""
        self._asked = True

    def is_set(self) -> bool:
        """Tell whether somebody asked."""
        return self._asked


@dataclass(frozen=True, slots=True)
class CallContext:
    """Deadline, cancellation, progress and seed of one call. Later minors may add fields, each with a default.

    Args:
        deadline: the `time.monotonic()` at which the caller stops waiting, or None.
        seed: the seed for whatever the model draws at random, or None for its own choice.
        progress: called with (done, total) by long work; total is None where it is unknown.
    """

    deadline: float | None = None
    seed: int | None = None
    progress: Callable[[int, int | None], None] | None = None
    _cancelled: Cancellation = field(default_factory=Cancellation, repr=False)

    def cancel(self) -> None:
        """Ask the model to stop at its next `check()`."""
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        """Whether the caller asked to stop."""
        return self._cancelled.is_set()

    def remaining(self) -> float | None:
        """Return the seconds left before the deadline (negative once it has passed), or None without one."""
        return None if self.deadline is None else self.deadline - time.monotonic()

    def check(self) -> None:
        """Raise `Cancelled` or `DeadlineExceeded` if the caller no longer waits.

        A model calls this between pieces of work that take more than a few milliseconds.
        """
        if self._cancelled.is_set():
            raise Cancelled("the call was cancelled")
        if self.deadline is not None and (late := time.monotonic() - self.deadline) >= 0:
            raise DeadlineExceeded(
                f"the deadline passed {late:.3f} s ago",
                blame="the time allowed by the caller",
                hint="allow more time with deadline=..., send less at once, or choose a faster model",
            )

    def wait(self, seconds: float) -> None:
        """Wait, and raise `Cancelled` or `DeadlineExceeded` as soon as the caller no longer does."""
        end = time.monotonic() + seconds
        self.check()
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _POLL_SECONDS))
            self.check()

    def report(self, done: int, total: int | None = None) -> None:
        """Tell the caller how far the work is, if it asked to know."""
        if self.progress is not None:
            self.progress(done, total)
