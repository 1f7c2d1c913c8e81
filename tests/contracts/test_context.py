"""CallContext: deadline, cancellation and progress."""

import threading
import time

import pytest
from metier_contracts import CallContext, Cancelled, DeadlineExceeded


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands still until its one entry is changed."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_without_a_deadline_nothing_passes() -> None:
    context = CallContext()
    assert context.remaining() is None
    assert context.seed is None
    context.check()


def test_remaining_counts_down_and_below_zero(clock: list[float]) -> None:
    context = CallContext(deadline=102.5)
    assert context.remaining() == 2.5
    clock[0] = 103.0
    assert context.remaining() == -0.5


@pytest.mark.parametrize(("now", "passed"), [(99.0, False), (102.4, False), (102.5, True), (103.0, True)])
def test_check_raises_from_the_deadline_on(clock: list[float], now: float, passed: bool) -> None:
    context = CallContext(deadline=102.5)
    clock[0] = now
    if passed:
        with pytest.raises(DeadlineExceeded, match=f"{now - 102.5:.3f} s ago") as caught:
            context.check()
        assert caught.value.blame
        assert caught.value.hint
    else:
        context.check()


def test_cancel_is_seen_by_another_thread() -> None:
    context = CallContext()
    assert not context.cancelled
    thread = threading.Thread(target=context.cancel)
    thread.start()
    thread.join()
    assert context.cancelled
    with pytest.raises(Cancelled):
        context.check()


def test_a_cancelled_call_is_cancelled_even_past_its_deadline(clock: list[float]) -> None:
    context = CallContext(deadline=1.0)
    context.cancel()
    with pytest.raises(Cancelled):
        context.check()


def test_contexts_are_cancelled_apart() -> None:
    one, other = CallContext(), CallContext()
    one.cancel()
    assert not other.cancelled


def test_report_reaches_the_caller() -> None:
    seen: list[tuple[int, int | None]] = []
    context = CallContext(progress=lambda done, total: seen.append((done, total)))
    context.report(1, 3)
    context.report(2)
    assert seen == [(1, 3), (2, None)]


def test_report_without_a_listener_is_nothing() -> None:
    CallContext().report(1, 2)


def test_a_context_is_frozen() -> None:
    with pytest.raises(AttributeError):
        CallContext().deadline = 3.0
