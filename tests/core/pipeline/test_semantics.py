"""Semantics at run time, and the edges that are left to it."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, TypedDict, TypeVar

import numpy as np
import pytest
from metier import each, fallback, parallel, route, step, task
from metier.pipeline import Unchecked, unchecked
from metier.pipeline.fit import Fit
from metier.pipeline.hints import fits, show
from metier.pipeline.semantics import Breach, finder
from metier_contracts import (
    BoxFrame,
    Classification,
    Classify,
    Forecast,
    Frequency,
    Horizon,
    InputError,
    Labels,
    PipelineTypeError,
    Semantic,
    Series,
)

T = TypeVar("T")
Mood = Annotated[str, Labels("good", "bad")]
Hourly = Annotated[Series, Frequency("h")]
Daily = Annotated[Series, Frequency("D")]
Feeling = NewType("Feeling", Mood)


@dataclass(frozen=True)
class Box(Generic[T]):
    content: T


@dataclass(frozen=True)
class Report:
    mood: Mood
    size: int = 0


class Row(TypedDict):
    mood: Mood


class Tree(TypedDict):
    mood: Mood
    branches: list[Tree]


class Pair(NamedTuple):
    number: int
    mood: Mood


@dataclass(frozen=True)
class Broken(Semantic):
    def admits(self, given: Broken) -> bool | None:
        return True

    def holds(self, value: Any) -> bool | None:
        raise ZeroDivisionError("a mistake in a semantic")


@step
def echo(text: str) -> str:
    return text


@step
def answer(mood: Mood) -> str:
    return f"{mood}!"


@step
def size(text: str) -> int:
    return len(text)


@step
def double(number: int) -> int:
    return 2 * number


@step
def split(text: str) -> list[str]:
    return text.split()


@step
def hours(count: str) -> Series:
    return Series(values=np.zeros(int(count)), frequency="h")


@step
def by_hour(series: Hourly) -> str:
    return f"{len(series)} hours"


@step
def by_day(series: Daily) -> str:
    return f"{len(series)} days"


BREACHES: list[tuple[Any, Any, Any]] = [
    (Mood, "odd", "odd"),
    (Mood, "good", None),
    (Mood | None, "odd", "odd"),
    (Mood | None, None, None),
    (Mood | int, 3, None),
    (Mood | Annotated[str, Labels("odd")], "odd", None),
    (list[Mood], ["good", "odd"], "odd"),
    (Sequence[Mood], ("good", "bad"), None),
    (tuple[int, Mood], (1, "odd"), "odd"),
    (tuple[Mood, ...], ("good", "odd"), "odd"),
    (dict[str, Mood], {"good": "odd"}, "odd"),
    (Mapping[Mood, str], {"odd": "good"}, "odd"),
    (list[dict[str, list[Mood]]], [{"a": ["good"]}, {"a": ["bad", "odd"]}], "odd"),
    (Row, {"mood": "odd"}, "odd"),
    (Row, {}, None),
    (Tree, {"mood": "good", "branches": [{"mood": "bad", "branches": [{"mood": "odd", "branches": []}]}]}, "odd"),
    (Box[Mood], Box("odd"), "odd"),
    (Box[list[Mood]], Box(["good"]), None),
    (Classification[Mood], Classification(label="odd", scores={"odd": 1.0}), "odd"),
    (Sequence[Mood], iter(["odd"]), None),
    (Mood, 3, None),
]


@pytest.mark.parametrize(("hint", "value", "part"), BREACHES)
def test_the_part_that_breaks_a_semantic_is_found(hint: Any, value: Any, part: Any) -> None:
    find = finder(hint)
    assert find is not None
    found = find(value)
    assert part in ((found and (found.value, getattr(found.value, "frequency", None))) or (None,))


# What the fields of a class declare is looked at where `parallel(into=...)` makes one, not at each step that takes it.
@pytest.mark.parametrize("hint", [str, list[str], Report, Pair, Literal["a"], Classification, Annotated[str, 1], Any])
def test_nothing_is_looked_for_where_nothing_is_declared(hint: Any) -> None:
    assert finder(hint) is None


def test_a_breach_names_the_step_before_the_step_and_the_semantic(models: Any) -> None:
    fine, odd = models.batch(echo >> answer, ["good", "odd"])
    assert fine == "good!"
    assert isinstance(odd, InputError)
    assert odd.summary == "step 'answer' does not take this value: 'odd'"
    assert odd.expected == "a value of which Labels('good', 'bad') holds, as step 'answer' declares"
    assert odd.got == "Labels('odd')"
    assert odd.blame == "step 'echo', which gave it"
    assert odd.__notes__ == ["in step 'answer'"]


def test_the_value_given_to_a_pipeline_is_checked(models: Any) -> None:
    with pytest.raises(InputError, match="the value given to the pipeline"):
        models.run(answer, "odd")


GIVERS: list[tuple[Any, Any, str, str]] = [
    (echo >> (answer >> echo), "odd", "step 'answer'", "step 'echo'"),
    (split >> each(answer), "odd", "step 'answer'", "step 'split'"),
    (each(echo >> answer), ["odd"], "step 'answer'", "step 'echo'"),
    (echo >> parallel(size, answer), "odd", "step 'answer'", "step 'echo'"),
    (echo >> route(size).to({3: answer}), "odd", "step 'answer'", "step 'echo'"),
    (route(size).to({4: answer}, default=echo) >> answer, "odd", "step 'answer'", "step 'answer' or 'echo'"),
    (echo >> fallback(answer, answer), "odd", "step 'answer'", "step 'echo'"),
    (echo >> route(double, answer), "odd", "step 'answer'", "step 'echo'"),
    (parallel(into=Report, mood=echo, size=size), "odd", "field 'mood' of Report", "step 'echo'"),
]


@pytest.mark.parametrize(("pipeline", "value", "taker", "giver"), GIVERS)
def test_a_breach_is_found_wherever_the_step_stands(
    models: Any, pipeline: Any, value: Any, taker: str, giver: str
) -> None:
    with pytest.raises(InputError) as raised:
        models.run(pipeline, value)
    assert raised.value.summary == f"{taker} does not take this value: 'odd'"
    assert raised.value.blame == f"{giver}, which gave it"


def test_an_arm_alone_is_asked_about_the_value_that_comes_to_it(models: Any) -> None:
    @step
    def frequency(series: Series) -> str:
        return str(series.frequency)

    pipeline = hours >> route(frequency).to({"D": by_day, "h": by_hour}, default=by_day)
    assert models.run(pipeline, "3") == "3 hours"
    with pytest.raises(InputError, match=r"Frequency\('D'\) holds"):
        models.run(hours >> by_day, "3")


def test_a_semantic_that_raises_fails_its_value(models: Any) -> None:
    @step
    def fragile(text: Annotated[str, Broken()]) -> str:
        return text

    (outcome,) = models.batch(echo >> fragile, ["a"])
    assert isinstance(outcome, ZeroDivisionError)
    assert outcome.__notes__ == ["in step 'fragile'"]


def test_copies_of_a_pipeline_that_ran_are_equal(models: Any) -> None:
    pipeline = step(str.lower, takes=str, gives=str) >> step(str.upper, takes=Mood, gives=str)  # type: ignore[arg-type]
    models.run(pipeline, "good")
    assert copy.deepcopy(pipeline) == pipeline == pickle.loads(pickle.dumps(pipeline))


def test_a_clash_says_both_and_how_to_mend_it() -> None:
    @step
    def daily(text: str) -> Daily:
        raise NotImplementedError

    with pytest.raises(PipelineTypeError) as raised:
        daily >> by_hour
    assert raised.value.summary == (
        "step 'daily' does not fit step 'by_hour': Frequency('D') does not fit Frequency('h')"
    )
    assert raised.value.expected == "'by_hour' takes Annotated[Series, Frequency('h')]"
    assert "turns Frequency('D') into Frequency('h'), or correct" in str(raised.value.hint)


def test_the_semantics_of_a_task_are_those_of_its_response() -> None:
    @task
    def ahead(text: str) -> Annotated[Forecast, Horizon(24)]:
        raise NotImplementedError

    assert [show(port.hint) for port in ahead.exits()] == ["Annotated[ForecastResult, Horizon(24)]"]


UNCHECKED: list[tuple[Any, list[tuple[str, str, Semantic]]]] = [
    (echo >> size, []),
    (echo >> answer, [("echo", "answer", Labels("good", "bad"))]),
    (
        echo >> answer >> answer,
        [("echo", "answer", Labels("good", "bad")), ("answer", "answer", Labels("good", "bad"))],
    ),
    (each(echo >> answer), [("echo", "answer", Labels("good", "bad"))]),
    (fallback(echo, echo >> answer), [("echo", "answer", Labels("good", "bad"))]),
    (route(size).to({3: echo >> answer}, default=echo), [("echo", "answer", Labels("good", "bad"))]),
    (route(double, echo >> answer), [("echo", "answer", Labels("good", "bad"))]),
    (echo >> parallel(size, answer), [("echo", "answer", Labels("good", "bad"))]),
    (parallel(into=Report, mood=echo), [("echo", "Report.mood", Labels("good", "bad"))]),
    (hours >> parallel(by_hour, by_hour), [("hours", "by_hour", Frequency("h"))]),
]


@pytest.mark.parametrize(("pipeline", "edges"), UNCHECKED)
def test_unchecked_edges_are_listed(pipeline: Any, edges: list[tuple[str, str, Semantic]]) -> None:
    assert list(unchecked(pipeline)) == [Unchecked(*edge) for edge in edges]


COMPARED: list[tuple[Any, Any, tuple[Semantic, ...]]] = [
    (str, Mood, (Labels("good", "bad"),)),
    (Any, list[Mood], (Labels("good", "bad"),)),
    (Any, Mood | None, (Labels("good", "bad"),)),
    (list, list[Mood], (Labels("good", "bad"),)),
    (Any, Tree, (Labels("good", "bad"),)),
    (None, Mood | None, ()),
    (Mood, str, ()),
    (Feeling, Mood, ()),
    (Mood, Mood | None, ()),
    (str, Mood | str, ()),
    (Annotated[Mood | None, "a note"], Mood | None, ()),
    (Annotated[Series | None, Frequency("h")], Annotated[Series | None, Frequency("h")], ()),
    (Annotated[Mood, Labels("good")], Mood, ()),
    (Series, Annotated[Series, Frequency("h"), Horizon(3)], (Frequency("h"), Horizon(3))),
    (Hourly, Annotated[Series, Frequency("h"), Horizon(3)], (Horizon(3),)),
    (
        Annotated[Series, BoxFrame("xyxy")],
        Annotated[Series, BoxFrame("xyxy", image="page")],
        (BoxFrame("xyxy", image="page"),),
    ),
    (Classify[Mood], Classify[Mood], ()),
]


@pytest.mark.parametrize(("gives", "takes", "left"), COMPARED)
def test_what_is_not_said_is_left_to_run_time(gives: Any, takes: Any, left: tuple[Semantic, ...]) -> None:
    assert fits(gives, takes) == Fit(unchecked=left)


def test_an_alias_may_carry_semantics() -> None:
    assert fits(list[Hourly], list[Daily]).clashes == ((Frequency("h"), Frequency("D")),)
    assert not fits(Annotated[Series | None, Frequency("h")], Daily | None)


def test_a_breach_of_no_readable_kind_shows_the_value() -> None:
    error = Breach(BoxFrame("xyxy"), (10, 20, 3, 4)).error("step 'draw'", None)
    assert error.got == "(10, 20, 3, 4)"
