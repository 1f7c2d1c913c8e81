"""How pipelines run: batches, order, failures, deadlines, and that they are values."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metier import each, fallback, parallel, route, step, task
from metier.pipeline.engine import Call
from metier_contracts import (
    CallContext,
    Cancelled,
    Classification,
    Classify,
    DeadlineExceeded,
    InferenceError,
    InputError,
    PipelineTypeError,
)

Size = Literal["short", "long"]


@task
def measure(text: str) -> Classify[Size]:
    return Classify[Size](text=text)


@step
def label(verdict: Classification[Size]) -> Size:
    return verdict.label


@step
def words(text: str) -> list[str]:
    return text.split()


@step
def length(text: str) -> int:
    if text == "bad":
        raise ZeroDivisionError("a user's own mistake")
    return len(text)


@step
def negative(text: str) -> int:
    return -len(text)


@step
def total(numbers: Sequence[int]) -> int:
    return sum(numbers)


@dataclass(frozen=True)
class Record:
    size: int
    label: str


TEXTS = ["a", "abcdef", "bb", "longer text"]


class TestBatches:
    def test_a_task_sees_one_batch(self, models: Any) -> None:
        outcomes = models.batch(measure >> label, TEXTS)
        assert outcomes == ["short", "long", "short", "long"]
        assert models.batches == [TEXTS]

    def test_each_flattens_all_values_into_one_batch(self, models: Any) -> None:
        outcomes = models.batch(words >> each(measure >> label), ["a abcdef", "", "bb"])
        assert outcomes == [["short", "long"], [], ["short"]]
        assert models.batches == [["a", "abcdef", "bb"]]

    def test_a_route_takes_each_arm_one_batch(self, models: Any) -> None:
        pipeline = route(measure >> label).to(
            {"short": measure >> label}, default=step(str.upper, takes=str, gives=str)
        )
        assert models.batch(pipeline, TEXTS) == ["short", "ABCDEF", "short", "LONGER TEXT"]
        assert models.batches == [TEXTS, ["a", "bb"]]

    def test_a_fallback_takes_on_only_what_failed(self, models: Any) -> None:
        models.failing = {"abcdef"}
        pipeline = fallback(measure >> label, step(lambda text: "short", takes=str, gives=str))
        assert models.batch(pipeline, TEXTS) == ["short", "short", "short", "long"]

    def test_parallel_arms_see_the_same_batch(self, models: Any) -> None:
        assert models.batch(parallel(length, measure >> label), ["a", "abcdef"]) == [(1, "short"), (6, "long")]
        assert models.batches == [["a", "abcdef"]]


class TestFailures:
    def test_one_value_fails_alone(self, models: Any) -> None:
        models.failing = {"bb"}
        outcomes = models.batch(measure >> label, TEXTS)
        assert [outcomes[0], outcomes[1], outcomes[3]] == ["short", "long", "long"]
        assert isinstance(outcomes[2], InferenceError)
        assert outcomes[2].__notes__ == ["in step 'measure'"]

    def test_what_a_function_raises_comes_as_it_is(self, models: Any) -> None:
        with pytest.raises(ZeroDivisionError) as raised:
            models.run(length, "bad")
        assert raised.value.__notes__ == ["in step 'length'"]
        assert models.batch(length, ["a", "bad", "cc"])[::2] == [1, 2]

    def test_a_failed_value_goes_no_further(self, models: Any) -> None:
        models.failing = {"bb"}
        seen: list[str] = []
        models.batch(measure >> label >> step(seen.append, takes=str, gives=object), TEXTS)
        assert seen == ["short", "long", "long"]

    def test_one_member_fails_its_sequence(self, models: Any) -> None:
        outcomes = models.batch(words >> each(length) >> total, ["a bb", "a bad", "ccc"])
        assert (outcomes[0], outcomes[2]) == (3, 3)
        assert isinstance(outcomes[1], ZeroDivisionError)

    def test_one_arm_fails_the_tuple(self, models: Any) -> None:
        models.failing = {"a"}
        assert isinstance(models.batch(parallel(length, measure), ["a"])[0], InferenceError)

    def test_a_fallback_ends_with_the_last_error(self, models: Any) -> None:
        models.failing = {"bad"}
        outcome = models.batch(fallback(measure >> label, length), ["bad"])[0]
        assert isinstance(outcome, ZeroDivisionError)

    def test_a_value_of_the_wrong_type_never_starts(self, models: Any) -> None:
        with pytest.raises(InputError) as raised:
            models.run(measure >> label, 3)
        assert "'measure' takes str" in str(raised.value)
        assert models.batches == []

    def test_a_task_that_makes_no_request_is_named(self, models: Any) -> None:
        @task
        def lying(text: str) -> Classify:
            return text  # type: ignore[return-value]

        with pytest.raises(PipelineTypeError, match="'lying' made no request"):
            models.run(lying, "x")

    def test_a_request_that_is_not_valid_fails_its_value_alone(self, models: Any) -> None:
        outcomes = models.batch(measure >> label, ["a", " ", "abcdef"])
        assert [outcomes[0], outcomes[2]] == ["short", "long"]
        assert isinstance(outcomes[1], InputError)


class TestDeadlines:
    @pytest.mark.parametrize("error", [Cancelled, DeadlineExceeded])
    def test_nothing_runs_once_the_caller_is_gone(self, models: Any, error: type[Exception]) -> None:
        models.context = CallContext(deadline=None if error is Cancelled else time.monotonic() - 1)
        if error is Cancelled:
            models.context.cancel()
        with pytest.raises(error):
            models.run(measure >> label, "a")
        assert models.batches == []

    def test_steps_after_the_cancellation_do_not_run(self, models: Any) -> None:
        stop = step(lambda text: models.context.cancel() or text, takes=str, gives=str)
        with pytest.raises(Cancelled):
            models.run(stop >> measure, "a")
        assert models.batches == []

    def test_a_fallback_is_no_second_try_for_a_caller_that_is_gone(self, models: Any) -> None:
        calls: list[str] = []

        def give_up(text: str) -> str:
            raise Cancelled("gone")

        second = step(calls.append, takes=str, gives=str)
        with pytest.raises(Cancelled):
            models.run(fallback(step(give_up), second), "a")
        assert calls == []


class TestParallel:
    def test_arms_run_at_the_same_time(self, models: Any) -> None:
        barrier = threading.Barrier(3, timeout=20)
        arms = [step(lambda text: barrier.wait() >= 0, takes=str, gives=bool) for _ in range(3)]
        assert models.run(parallel(*arms), "a") == (True, True, True)

    def test_results_go_into_a_dataclass_by_name(self, models: Any) -> None:
        pipeline = parallel(into=Record, label=measure >> label, size=length)
        assert models.run(pipeline, "abcdef") == Record(size=6, label="long")

    @pytest.mark.parametrize(
        ("arms", "message"),
        [
            ({"size": length}, "none for label"),
            ({"size": length, "label": length}, "field 'label' takes str"),
            ({"size": length, "label": measure >> label, "other": length}, "'other'"),
        ],
    )
    def test_fields_are_checked_when_built(self, arms: dict[str, Any], message: str) -> None:
        with pytest.raises(PipelineTypeError, match=message):
            parallel(into=Record, **arms)


class TestRoute:
    def test_a_key_without_an_arm_fails_its_value(self, models: Any) -> None:
        outcomes = models.batch(route(length).to({1: words}), ["a", "bb"])
        assert outcomes[0] == ["a"]
        assert isinstance(outcomes[1], InputError)
        assert "no arm of the route serves 2" in str(outcomes[1])

    def test_a_literal_needs_every_arm_or_a_default(self) -> None:
        with pytest.raises(PipelineTypeError, match="none for 'long'"):
            route(measure >> label).to({"short": length})

    def test_no_arm_at_all_is_refused(self) -> None:
        with pytest.raises(PipelineTypeError, match="no arm"):
            route(measure >> label).to({}, default=length)


class TestRouteByType:
    def test_each_arm_gets_its_types_as_one_batch(self, models: Any) -> None:
        pipeline = route(measure >> label, total)
        assert models.batch(pipeline, ["a", [1, 2], "abcdef", [3]]) == ["short", 3, "long", 3]
        assert models.batches == [["a", "abcdef"]]

    def test_the_first_arm_that_takes_the_value_gets_it(self, models: Any) -> None:
        pipeline = route(step(int, takes=bool, gives=int), step(abs, takes=int, gives=int))
        assert models.batch(pipeline, [True, -2]) == [1, 2]

    def test_an_arm_of_several_entries_takes_the_narrowest(self, models: Any) -> None:
        anything = step(str, takes=object, gives=str)
        pipeline = route(parallel(anything, length), parallel(total, anything))
        assert models.batch(pipeline, ["ab", [1]]) == [("ab", 2), (1, "[1]")]
        assert [port.hint for port in pipeline.entries()] == [str | Sequence[int]]

    def test_a_value_that_no_arm_takes_fails_alone(self, models: Any) -> None:
        @step
        def given(text: str) -> Any:
            return 1.5 if text == "b" else text

        outcomes = models.batch(given >> route(length, total), ["a", "b", "bad", "ccc"])
        assert outcomes[::3] == [1, 3]
        assert isinstance(outcomes[1], InputError)
        assert "expected: str | Sequence[int]" in str(outcomes[1])
        assert isinstance(outcomes[2], ZeroDivisionError)

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            (length, words),
            (step(str, takes=object, gives=str), length),
            (total, step(sum, takes=list[int], gives=int)),
            (label, step(str, takes=Classification[Literal["a", "b"]], gives=str)),
            (route(length, total), words),
        ],
    )
    def test_an_arm_to_which_no_value_comes_is_refused(self, first: Any, second: Any) -> None:
        with pytest.raises(PipelineTypeError, match="no value comes to step"):
            route(first, second)

    def test_what_is_no_step_is_refused(self) -> None:
        for arms in ((), (length, len)):
            with pytest.raises(PipelineTypeError, match="route takes steps"):
                route(*arms)


class TestValues:
    def test_composition_is_associative(self) -> None:
        assert (words >> each(length)) >> total == words >> (each(length) >> total)

    def test_equal_compositions_are_equal_and_hash_alike(self) -> None:
        one, other = (route(measure >> label).to({"short": length}, default=negative) for _ in range(2))
        assert one == other
        assert hash(one) == hash(other)
        assert one != route(measure >> label).to({"short": negative}, default=length)

    def test_a_step_cannot_be_changed(self) -> None:
        with pytest.raises(AttributeError):
            length.label = "other"  # type: ignore[attr-defined]

    def test_names_read_as_they_are_written(self) -> None:
        pipeline = words >> each(length) >> total
        assert pipeline.name == "words >> each(length) >> total"
        assert parallel(length, negative).name == "parallel(length, negative)"
        assert fallback(length, negative).name == "fallback(length, negative)"

    def test_a_function_step_is_still_a_function(self) -> None:
        assert length("abc") == 3  # type: ignore[operator]


OPERATIONS: list[tuple[str, Callable[[int], int]]] = [
    ("double", lambda n: 2 * n),
    ("increment", lambda n: n + 1),
    ("negate", lambda n: -n),
    ("square", lambda n: n * n),
]


@given(st.lists(st.sampled_from(OPERATIONS), min_size=1, max_size=6), st.lists(st.integers(-9, 9), max_size=8))
def test_a_pipeline_is_the_composition_of_its_functions(chosen: Any, values: list[int]) -> None:
    steps = [step(function, takes=int, gives=int, name=name) for name, function in chosen]
    pipeline = steps[0]
    for following in steps[1:]:
        pipeline = pipeline >> following
    expected = []
    for value in values:
        for _, function in chosen:
            value = function(value)
        expected.append(value)
    call = Call(lambda *_, **__: [], CallContext(), lambda perform, disk: perform)
    assert pipeline.apply(values, call) == expected
    assert each(pipeline).apply([values], call) == [expected]
