from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from metier.mapping import mapped, reporting
from metier.pipeline.engine import Failed
from metier.scope import Scope
from metier_contracts import Classify, InputError


def double(batch: Sequence[int]) -> list[Any]:
    return [Failed(ValueError(value)) if value < 0 else value * 2 for value in batch]


def run(values: Any, batch_size: int = 3, progress: Any = False, on_error: Any = "raise", work: Any = double) -> Any:
    return mapped(work, values, batch_size, progress, on_error, Scope(None, (), None))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 9, 10])
def test_outcomes_come_in_order_whatever_the_batches(count: int) -> None:
    assert list(run(range(count))) == [value * 2 for value in range(count)]


def test_batches_are_full_but_for_the_last() -> None:
    sizes: list[int] = []
    list(run(range(8), work=lambda batch: sizes.append(len(batch)) or double(batch)))
    assert sizes == [3, 3, 2]


def test_values_are_read_as_they_are_needed() -> None:
    read: list[int] = []

    def values() -> Iterator[int]:
        for value in range(100):
            read.append(value)
            yield value

    outcomes = run(values())
    assert read == []
    assert next(outcomes) == 0
    assert read == [0, 1, 2]
    assert [next(outcomes), next(outcomes)] == [2, 4]
    assert read == [0, 1, 2]
    next(outcomes)
    assert len(read) == 6


def test_an_error_is_raised_where_it_stands() -> None:
    outcomes = run([1, -1, 2])
    assert next(outcomes) == 2
    with pytest.raises(ValueError, match="-1"):
        next(outcomes)


def test_an_error_that_is_a_value_is_not_raised() -> None:
    (outcome,) = run([1], work=lambda batch: [ValueError(value) for value in batch])
    assert isinstance(outcome, ValueError)


def test_errors_may_be_collected_in_their_places() -> None:
    first, failed, last = run([1, -1, 2], on_error="collect")
    assert (first, last) == (2, 4)
    assert isinstance(failed, ValueError)


def test_an_error_of_the_values_own_comes_through() -> None:
    def values() -> Iterator[int]:
        yield from (1, 2, 3)
        raise OSError("the file")

    outcomes = run(values())
    assert [next(outcomes) for _ in range(3)] == [2, 4, 6]
    with pytest.raises(OSError, match="the file"):
        next(outcomes)


@pytest.mark.parametrize(("values", "total"), [([1, 2, 3, 4], 4), (iter([1, 2, 3, 4]), None)])
def test_progress_is_reported_after_each_batch(values: Any, total: int | None) -> None:
    reports: list[tuple[int, int | None]] = []
    list(run(values, progress=lambda done, total: reports.append((done, total))))
    assert reports == [(3, total), (4, total)]


@pytest.mark.parametrize("values", [5, None, Classify(text="a single request", labels=["a"])])
def test_what_is_not_many_is_refused_at_once(values: Any) -> None:
    with pytest.raises(InputError, match="map takes many") as caught:
        run(values)
    assert caught.value.got == type(values).__name__
    assert "run()" in str(caught.value.hint)


def test_a_choice_that_does_not_exist_is_refused_at_once() -> None:
    with pytest.raises(InputError) as caught:
        run([1], on_error="skip")
    assert caught.value.expected == '"raise" or "collect"'


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_is_shown_on_a_terminal_and_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("TERM", "xterm")
    with reporting(True, "map") as report:
        report(1, 2)
    assert "map" in terminal.getvalue()
    assert "1/2" in terminal.getvalue()


@pytest.mark.parametrize("progress", [True, False])
def test_no_bar_is_shown_in_a_pipe(progress: bool, capsys: pytest.CaptureFixture[str]) -> None:
    assert list(run([1], progress=progress)) == [2]
    assert capsys.readouterr() == ("", "")
