"""`Gate` and `Backoff`: when a call may go to a worker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from metier_contracts import CallContext

_POLL_SECONDS = 0.02
_FIRST_SECONDS = 0.5
_MOST_SECONDS = 30.0


class Gate:
    """Lets calls through side by side, and one that is tried again by itself: so only its own fault can end it."""

    def __init__(self) -> None:
        self._inside = 0
        self._alone = False
        self._changed = threading.Condition()

    @contextmanager
    def shared(self, context: CallContext) -> Iterator[None]:
        """Go through beside others; wait while one is alone inside, or about to be."""
        with self._changed:
            while self._alone:
                context.check()
                self._changed.wait(_POLL_SECONDS)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self, context: CallContext) -> Iterator[None]:
        """Go through when nobody else is inside."""
        with self._changed:
            while self._alone:
                context.check()
                self._changed.wait(_POLL_SECONDS)
            self._alone = True
        try:
            with self._changed:
                while self._inside:
                    context.check()
                    self._changed.wait(_POLL_SECONDS)
            yield
        finally:
            with self._changed:
                self._alone = False
                self._changed.notify_all()


class Backoff:
    """How long to wait before the next start: not at all after the first death, then twice as long each time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._deaths = 0
        self._not_before = 0.0

    def died(self) -> None:
        """Count a death."""
        self._deaths += 1
        if self._deaths > 1:
            self._not_before = self._clock() + min(_FIRST_SECONDS * 2 ** (self._deaths - 2), _MOST_SECONDS)

    def worked(self) -> None:
        """Forget the deaths: the worker has answered."""
        self._deaths = 0

    def seconds(self) -> float:
        """Return the seconds to wait from now."""
        return max(0.0, self._not_before - self._clock())
