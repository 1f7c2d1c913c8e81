"""`retry`: what may pass is tried again, together, and never for a caller that is gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from metier import fallback, retry, step
from metier_contracts import (
    CallContext,
    Cancelled,
    DeadlineExceeded,
    InferenceError,
    InputError,
    RateLimitedError,
    RemoteError,
)


class Flaky:
    """A step that fails each value as often as it is told; `tried` holds the values in the order of the tries."""

    def __init__(self, failures: dict[str, int], error: Callable[[], Exception] = lambda: RemoteError("down")) -> None:
        self.left = dict(failures)
        self.error = error
        self.tried: list[str] = []
        self.step = step(self.work, takes=str, gives=str)

    def work(self, text: str) -> str:
        self.tried.append(text)
        if self.left.get(text, 0):
            self.left[text] -= 1
            raise self.error()
        return text.upper()


def test_only_what_failed_is_tried_again(models: Any, clock: Any) -> None:
    flaky = Flaky({"a": 1, "c": 2})
    assert models.batch(retry(flaky.step), ["a", "b", "c"]) == ["A", "B", "C"]
    assert flaky.tried == ["a", "b", "c", "a", "c", "c"]


def test_the_last_error_stands(models: Any, clock: Any) -> None:
    flaky = Flaky({"a": 9})
    with pytest.raises(RemoteError):
        models.run(retry(flaky.step, attempts=2), "a")
    assert flaky.tried == ["a", "a"]


def test_the_pause_doubles_up_to_a_minute(models: Any, clock: Any) -> None:
    begun = clock.now
    models.run(retry(Flaky({"a": 3}).step, attempts=4, wait=20), "a")
    assert clock.now - begun == pytest.approx(20 + 40 + 60)


def test_a_servers_wish_goes_first(models: Any, clock: Any) -> None:
    begun = clock.now
    flaky = Flaky({"a": 1, "b": 1}, lambda: RateLimitedError("slower", retry_after=7))
    models.batch(retry(flaky.step, wait=1), ["a", "b"])
    assert clock.now - begun == pytest.approx(7)


@pytest.mark.parametrize("error", [InputError("no"), InferenceError("no"), ValueError("no")])
def test_nothing_else_is_tried_again(error: Exception, models: Any) -> None:
    flaky = Flaky({"a": 1}, lambda: error)
    with pytest.raises(type(error)):
        models.run(retry(flaky.step), "a")
    assert flaky.tried == ["a"]


def test_the_errors_may_be_named(models: Any, clock: Any) -> None:
    flaky = Flaky({"a": 1}, lambda: ValueError("no"))
    assert models.run(retry(flaky.step, on=(ValueError,)), "a") == "A"


@pytest.mark.parametrize("error", [Cancelled("gone"), DeadlineExceeded("late")])
def test_a_caller_that_is_gone_gets_no_second_try(error: Exception, models: Any) -> None:
    flaky = Flaky({"a": 1}, lambda: error)
    with pytest.raises(type(error)):
        models.run(retry(flaky.step, on=(Exception,)), "a")
    assert flaky.tried == ["a"]


def test_a_pause_past_the_deadline_is_not_begun(models: Any, clock: Any) -> None:
    models.context = CallContext(deadline=clock.now + 5)
    limited = retry(Flaky({"a": 9}, lambda: RateLimitedError("slower", retry_after=30)).step)
    with pytest.raises(RateLimitedError):
        models.run(limited, "a")
    assert models.run(fallback(limited, step(str.lower, takes=str, gives=str)), "a") == "a"
    assert clock.now == 1000


def test_the_deadline_shrinks_along_the_pauses(models: Any, clock: Any) -> None:
    models.context = CallContext(deadline=clock.now + 5)
    inner, outer = Flaky({"a": 9}), Flaky({})
    with pytest.raises(RemoteError):
        models.run(outer.step >> retry(step(str.lower, takes=str, gives=str) >> inner.step, wait=2, attempts=9), "a")
    assert len(inner.tried) == 2  # after 2 s; the next pause would end 6 s after the beginning
    assert clock.now == pytest.approx(1002)


def test_cancelling_ends_the_pause(models: Any, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep(seconds: float) -> None:
        clock.advance(seconds)
        models.context.cancel()

    monkeypatch.setattr(clock, "sleep", sleep)
    flaky = Flaky({"a": 9})
    with pytest.raises(Cancelled):
        models.run(retry(flaky.step, wait=50), "a")
    assert flaky.tried == ["a"]
    assert clock.now < 1001


@pytest.mark.parametrize("arguments", [{"attempts": 0}, {"wait": -1}, {"wait": float("inf")}, {"on": (3,)}])
def test_what_makes_no_sense_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="retry cannot be done so"):
        retry(Flaky({}).step, **arguments)
