"""The arithmetic of the benchmarks, and that each bench measures something."""

from __future__ import annotations

import pytest

from benchmarks import overhead, segmentation, startup
from benchmarks.figures import at_least, at_most, interleaved, median_difference, median_ratio


def test_goals() -> None:
    assert at_most("x", 2.0, "s", 2.0).met
    assert not at_most("x", 2.1, "s", 2.0).met
    assert at_least("x", 2.0, "x", 2.0).met
    assert not at_least("x", 1.9, "x", 2.0).met


def test_interleaved_takes_turns() -> None:
    order: list[str] = []
    columns = interleaved([lambda: order.append("a"), lambda: order.append("b")], rounds=2, warm_up=1)
    assert "".join(order) == "ababab"
    assert [len(column) for column in columns] == [2, 2]


def test_pairs() -> None:
    assert median_difference([3.0, 5.0, 9.0], [1.0, 2.0, 3.0]) == 3.0
    assert median_ratio([2.0, 9.0, 8.0], [1.0, 3.0, 4.0]) == 2.0


@pytest.mark.parametrize("measure", [lambda: startup.measure(1), lambda: overhead._no_op(3)])
def test_benches_run(measure: object) -> None:
    figures = measure()  # type: ignore[operator]
    assert figures
    assert all(figure.name for figure in figures)


def test_a_first_prompt_is_held_against_further_ones() -> None:
    figures = segmentation._figures([12.0, 14.0, 13.0], [9.0], [0.1, 0.13, 0.2], [0.09, 0.09])
    by_goal = {figure.goal: figure for figure in figures}
    assert by_goal["at least 50 x"].value == pytest.approx(100)
    assert by_goal["at least 50 x"].met
    assert figures[-1].value == pytest.approx(101)
