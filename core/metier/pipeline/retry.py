"""`retry`: another try for what may pass."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from metier_contracts import Cancelled, DeadlineExceeded, InputError, MetierError, RateLimitedError, RemoteError, errors
from typing_extensions import TypeVar

from metier.pipeline.combine import require_steps
from metier.pipeline.engine import Call, Failed, apply, failed
from metier.pipeline.step import Around, In_contra, Out_co, Step
from metier.pipeline.structure import Kind, Role, Structure

A = TypeVar("A")
B = TypeVar("B")

LONGEST_WAIT = 60.0


@dataclass(frozen=True)
class Retry(Around[In_contra, Out_co]):
    """A step whose values are tried again, together, where they failed in a way that may pass."""

    attempts: int
    on: tuple[type[Exception], ...]
    wait: float

    def apply(self, values: Sequence[Any], call: Call) -> list[Any]:
        """Try what failed again as one batch, after a pause that neither deadline nor cancellation waits for."""
        outcomes = apply(self.inner, values, call)
        for tried in range(1, self.attempts):
            again = [position for position, outcome in enumerate(outcomes) if self._may_pass(outcome)]
            pause = self._pause(tried, [outcomes[position].error for position in again])
            remaining = call.context.remaining()
            # A pause that outlasts the deadline would only replace the error that says what is wrong.
            if not again or (remaining is not None and pause >= remaining):
                break
            try:
                call.context.wait(pause)
            except MetierError as error:
                fresh: list[Any] = [failed(error, self.name)] * len(again)
            else:
                fresh = apply(self.inner, [values[position] for position in again], call.only(again))
            for position, outcome in zip(again, fresh, strict=True):
                outcomes[position] = outcome
        return outcomes

    def structure(self) -> Structure:
        """Return the inner step and the settings, errors by their names."""
        on = tuple(map(_name_of, self.on))
        fields = {"step": self.inner, "attempts": self.attempts, "on": on, "wait": self.wait}
        return Structure(RETRY, fields, times=(1, self.attempts))

    def _may_pass(self, outcome: Any) -> bool:
        return (
            isinstance(outcome, Failed)
            and isinstance(outcome.error, self.on)
            and not isinstance(outcome.error, Cancelled | DeadlineExceeded)
        )

    def _pause(self, tried: int, errors: Sequence[Exception]) -> float:
        """Return the seconds to wait: the longest that a server asks for, else double those of the time before."""
        asked = [error.retry_after for error in errors if isinstance(error, RateLimitedError)]
        return max([seconds for seconds in asked if seconds is not None], default=self._backoff(tried))

    def _backoff(self, tried: int) -> float:
        return float(min(self.wait * 2 ** (tried - 1), LONGEST_WAIT))


def retry(
    inner: Step[A, B],
    /,
    *,
    attempts: int = 3,
    on: Sequence[type[Exception]] = (RemoteError,),
    wait: float = 1.0,
) -> Step[A, B]:
    """Try the values that failed again, as one batch; where all attempts fail, the last error stands.

    Nobody waits past the deadline: where the pause would end after it, the error stands at once.

    Args:
        inner: the step.
        attempts: how often a value goes through the step at most.
        on: the errors to try again after; a cancelled call and a passed deadline never are.
        wait: seconds before the second attempt. They double with each, to a minute at most; a server's own wish
            (`RateLimitedError.retry_after`) goes before.

    Raises:
        InputError: `attempts` is below 1, `wait` is negative, or `on` holds something that is no exception class.
    """
    require_steps("retry", (inner,), 1)
    kinds = tuple(on)
    if attempts < 1 or not 0 <= wait < float("inf") or not all(_is_error(kind) for kind in kinds):
        raise InputError(
            "retry cannot be done so",
            expected="attempts of 1 or more, wait of 0 seconds or more, on=(exception classes)",
            got=f"attempts={attempts!r}, wait={wait!r}, on={kinds!r}",
            blame="the arguments of retry",
        )
    return Retry(inner, attempts, kinds, wait)


def _retry(step: Step[Any, Any], attempts: int = 3, on: Any = ("RemoteError",), wait: float = 1.0) -> Step[Any, Any]:
    return retry(step, attempts=attempts, on=[_known_as(name) for name in on], wait=wait)


RETRY = Kind("retry", {"step": Role.WITHIN, "attempts": Role.SETTING, "on": Role.SETTING, "wait": Role.SETTING}, _retry)


def _name_of(kind: type[Exception]) -> object:
    """Return the name of an error that everybody knows: one of metier's or of Python's; else the class itself."""
    return kind.__name__ if _known_as(kind.__name__) is kind else kind


def _known_as(name: Any) -> Any:
    return getattr(errors, str(name), None) or getattr(builtins, str(name), None)


def _is_error(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Exception)
