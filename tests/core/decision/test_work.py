"""What is decided for."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from metier.decision.work import Work, rounded
from metier.tasks import Tasks
from metier_contracts import TASKS, Act, Classify, EnvironmentSpec, InputError, Request, Size, UnknownTaskError

BUILT_IN = Tasks()


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 250, 1000, 12345, 10**9])
def test_sizes_are_rounded_up_by_an_eighth_at_most(count: int) -> None:
    amount = rounded(Size(count, "pixels", count)).amount
    assert count <= amount <= count * 9 / 8
    assert rounded(Size(amount)) == Size(amount)
    assert bin(amount).strip("0b").rstrip("0").__len__() <= 4 or amount == 0


def test_a_task_by_name_by_class_and_by_request() -> None:
    assert Work.of("classify", BUILT_IN) == Work.of(Classify, BUILT_IN) == Work("classify", {})
    assert Work.of(Classify[Literal["a", "b"]], BUILT_IN).needs == {"labels": frozenset({"a", "b"})}
    work = Work.of(Classify(text="x" * 100, labels=["a"]), BUILT_IN)
    assert work == Work(
        "classify", {"modalities": frozenset({"text"}), "labels": frozenset({"a"})}, Size(104, choice_characters=5)
    )


@pytest.mark.parametrize("target", [5, None, Request, int, Size(5)])
def test_anything_else_is_refused(target: Any) -> None:
    with pytest.raises(InputError, match="no work to decide for"):
        Work.of(target, BUILT_IN)


def test_an_unknown_name_is_told() -> None:
    with pytest.raises(UnknownTaskError, match="clasify"):
        Work.of("clasify", BUILT_IN)


def test_a_task_has_the_size_by_which_models_are_measured() -> None:
    labels = len('["an animal", "a journey", "a meal"]')
    assert Work.of("embed", BUILT_IN).sized({}, BUILT_IN).size == Size(250)
    assert Work.of("classify", BUILT_IN).sized({}, BUILT_IN).size == Size(250, choice_characters=labels)
    pictures = {"modalities": frozenset({"image"})}
    assert Work.of("classify", BUILT_IN).sized(pictures, BUILT_IN).size == Size(512 * 512, "pixels", 0, labels)
    for task in TASKS:
        size = Work.of(task, BUILT_IN).sized({}, BUILT_IN).size
        assert (size is None) == (not TASKS[task].probes)


def test_a_request_in_a_unit_that_nobody_measures_has_no_size() -> None:
    work = Work.of(Act(goal="x", environment=EnvironmentSpec(kind="screen")), BUILT_IN)
    assert work.sized({}, BUILT_IN).size is None
    assert str(work) == ""


def test_it_is_said_in_words() -> None:
    assert str(Work("generate", {}, Size(4000, "characters", 64))) == "4,000 characters, 64 tokens written"
