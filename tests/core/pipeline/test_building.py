"""What is refused where a pipeline is built, values that fail alone, and how pipelines read."""

from __future__ import annotations

import asyncio
import copy
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Literal, NotRequired, TypedDict, TypeVar

import pytest
from metier import Runtime, Step, each, fallback, parallel, route, step, task
from metier_contracts import Classification, Classify, InputError, PipelineTypeError

T = TypeVar("T")
Size = Literal["short", "long"]


@dataclass(frozen=True)
class Record:
    size: int
    label: str


def sized(text: str) -> int:
    return len(text)


def sorted_by_size(text: str) -> Classify[Size]:
    return Classify[Size](text=text)


length = step(sized)
measure = task(sorted_by_size)


@step
def label(verdict: Classification[Size]) -> Size:
    return verdict.label


@step
def words(text: str) -> list[str]:
    return text.split()


@step
def total(numbers: Sequence[int]) -> int:
    return sum(numbers)


@step
def shout(texts: Sequence[str]) -> list[str]:
    return [text.upper() for text in texts]


@step
def anything(text: str) -> Any:
    """Gives a number for digits, a list for a bracket, a generator of the letters otherwise."""
    if text.isdigit():
        return int(text)
    return [text] if text == "[" else (letter for letter in text)


async def slow(text: str) -> int:
    return len(text)


async def slow_request(text: str) -> Classify[Size]:
    return Classify[Size](text=text)


class Slow:
    async def __call__(self, text: str) -> int:
        return len(text)


def line(size: int, words: Sequence[str] = ()) -> str:
    return f"{size} {list(words)}"


class Row(TypedDict):
    size: int
    words: NotRequired[list[str]]


@dataclass(frozen=True)
class Box(Generic[T]):
    content: T


def local_types() -> Any:
    class Hidden: ...

    def give(text: str) -> Hidden:
        return Hidden()

    return give


REFUSED: list[tuple[Any, str]] = [
    (lambda: step(length), "a Step"),  # type: ignore[call-overload]
    (lambda: step(measure), "a Step"),  # type: ignore[call-overload]
    (lambda: task(length), "a Step"),  # type: ignore[call-overload]
    (lambda: step(3), "int"),  # type: ignore[call-overload]
    (lambda: step(len, takes=str), "takes=... alone"),  # type: ignore[call-overload]
    (lambda: step(len, gives=int), "gives=... alone"),  # type: ignore[call-overload]
    (lambda: step(print, takes=str, gives=None), r"type\(None\)"),  # type: ignore[call-overload]
    (lambda: step(local_types()), "define the type at module level"),
    (lambda: task(measure), "a Step"),  # type: ignore[call-overload]
    (lambda: step(slow), "an async one"),
    (lambda: step(slow, takes=str, gives=int), "an async one"),
    (lambda: step(Slow()), "an async one"),
    (lambda: step(name="slow")(partial(slow)), "an async one"),
    (lambda: task(slow_request), "an async one"),  # type: ignore[arg-type]
    (lambda: parallel(into=Box[int], content=words), "field 'content' takes int"),
    (lambda: parallel(into=Row, words=words), "none for size"),
    (lambda: parallel(into=Row, size=words), "field 'size' takes int"),
    (lambda: parallel(into=line, size=words), "field 'size' takes int"),
    (lambda: parallel(into=line, size=length, other=length), "among size, words"),
    (lambda: parallel(into=slow, text=length), "an async one"),
    (lambda: task(sized), "is no task"),  # type: ignore[arg-type]
    (lambda: parallel(length), "at least 2"),  # type: ignore[call-overload]
    (lambda: parallel(size=length, label=length), "steps by name without into"),  # type: ignore[call-overload]
    (lambda: parallel(length, into=Record, label=length), "steps by position with into"),  # type: ignore[call-overload]
    (lambda: parallel(into=dict, size=length), "a builtin without one"),
    (lambda: parallel(length, total), "cannot take the same value"),
    (lambda: fallback(length, len), "each a Step"),  # type: ignore[arg-type]
    (lambda: each(len), "each a Step"),  # type: ignore[arg-type]
    (lambda: route(measure >> label).to({"short": len}, default=length), "each a Step"),  # type: ignore[dict-item]
]


@pytest.mark.parametrize(("build", "message"), REFUSED)
def test_what_does_not_fit_is_refused_when_built(build: Any, message: str) -> None:
    with pytest.raises(PipelineTypeError, match=message) as raised:
        build()
    assert raised.value.expected
    assert raised.value.got


@pytest.mark.parametrize(
    ("into", "arms", "result", "gives"),
    [
        (line, {"size": length}, "3 []", str),
        (line, {"size": length, "words": words}, "3 ['a', 'b']", str),
        (Row, {"size": length}, {"size": 3}, Row),
        (Row, {"size": length, "words": words}, {"size": 3, "words": ["a", "b"]}, Row),
        (Box[int], {"content": length}, Box(3), Box[int]),
    ],
)
def test_parallel_into_whatever_takes_keywords(models: Any, into: Any, arms: Any, result: Any, gives: Any) -> None:
    pipeline: Step[str, Any] = parallel(into=into, **arms)
    assert models.run(pipeline, "a b") == result
    assert [port.hint for port in pipeline.exits()] == [gives]


def test_each_takes_a_generator(models: Any) -> None:
    assert models.batch(anything >> each(length), ["abc", "d"]) == [[1, 1, 1], [1]]


def test_each_over_what_is_no_sequence_fails_alone(models: Any) -> None:
    outcomes = models.batch(anything >> each(length), ["ab", "12", "c"])
    assert outcomes[::2] == [[1, 1], [1]]
    assert isinstance(outcomes[1], InputError)
    assert "a sequence for step 'each(sized)'" in str(outcomes[1])
    assert outcomes[1].__notes__ == ["in step 'each(sized)'"]


def test_a_generator_that_fails_fails_alone(models: Any) -> None:
    def letters(text: str) -> Any:
        return (1 / int(letter) for letter in text)

    outcomes = models.batch(step(letters) >> each(step(str, takes=object, gives=str)), ["1", "10", "11"])
    assert outcomes[::2] == [["1.0"], ["1.0", "1.0"]]
    assert isinstance(outcomes[1], ZeroDivisionError)


@pytest.mark.parametrize("default", [None, length])
def test_a_key_without_a_hash_fails_its_value_alone(models: Any, default: Any) -> None:
    pipeline: Step[str, int] = route(anything).to({12: length, 1234: length}, default=default)
    outcomes = models.batch(pipeline, ["12", "[", "1234"])
    assert outcomes[::2] == [2, 4]
    assert isinstance(outcomes[1], InputError)
    assert "no arm of the route serves ['[']" in str(outcomes[1])
    assert "step 'anything', which gave the key" in str(outcomes[1])


def test_nested_pipelines_send_one_batch_a_task(models: Any) -> None:
    models.failing = {"bb"}
    otherwise = step(lambda text: "short", takes=str, gives=str)
    pipeline = words >> each(parallel(length, fallback(measure >> label, otherwise)))
    assert models.batch(pipeline, ["bb abcdef", "", "a"]) == [[(2, "short"), (6, "long")], [], [(1, "short")]]
    assert models.batches == [["bb", "abcdef", "a"]]


def test_a_step_may_give_an_exception(models: Any) -> None:
    wrap = step(lambda text: ValueError(text), takes=str, gives=ValueError)
    assert str(models.run(wrap, "a value")) == "a value"
    with Runtime() as runtime:
        (value,) = runtime.map(wrap, ["a value"])
        assert str(value) == str(asyncio.run(runtime.arun(wrap, "a value"))) == "a value"


def test_a_wrong_member_is_found_before_the_first_step(models: Any) -> None:
    for place in range(100):
        texts: list[object] = ["a"] * 99
        with pytest.raises(InputError, match="list of int, str"):
            models.run(shout, [*texts[:place], 1, *texts[place:]])


def test_copies_are_equal() -> None:
    pipeline = parallel(length, step(sized, name="other"))
    assert copy.deepcopy(pipeline) == pipeline
    assert pickle.loads(pickle.dumps(pipeline)) == pipeline
