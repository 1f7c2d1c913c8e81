"""Type hints at build time: what fits into what, and what cannot be read."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, NewType, Optional, Protocol, TypedDict, TypeVar, Union

import pytest
from metier.pipeline.hints import accepts, fits, response_hint, show, signature_of
from metier_contracts import (
    Classification,
    Classify,
    Embed,
    Embedding,
    Extraction,
    PipelineTypeError,
    Request,
    Response,
)

Desk = Literal["a", "b", "c"]
Euros = NewType("Euros", int)
T = TypeVar("T")
Number = TypeVar("Number", bound=int)


class Base: ...


class Child(Base): ...


class Row(TypedDict):
    name: str


class Static(Protocol):
    def walk(self) -> int: ...


FIT = [
    (str, str),
    (int, float),
    (bool, int),
    (str, object),
    (str, Any),
    (Any, str),
    (list[str], Sequence[str]),
    (list[int], Sequence[float]),
    (list[list[str]], Sequence[Sequence[str]]),
    (dict[str, int], Mapping[str, object]),
    (str, Sequence[str]),
    (list[str], list),
    (tuple[int, str], tuple[int, str]),
    (tuple[int, int], tuple[int, ...]),
    (tuple[int, int], Sequence[int]),
    (tuple[int, ...], Iterable[int]),
    (Literal["a"], Desk),
    (Desk, str),
    (str, Optional[str]),  # noqa: UP045
    (str, Union[int, str]),  # noqa: UP007
    (int | str, str | int | None),
    (None, Optional[str]),  # noqa: UP045
    (Child, Base),
    (list[Child], Sequence[Base]),
    (Euros, int),
    (Annotated[int, "euros"], int),
    (int, Annotated[float, "euros"]),
    (Classification[Desk], Classification[Desk]),
    (Classification[Desk], Classification[str]),
    (Classification[Desk], Classification),
    (Classification, Classification[str]),
    (Classification[Literal["a"]], Classification[Desk]),
    (Classification[Desk], Response),
    (list[Classification[Desk]], Sequence[Classification[str]]),
    (tuple[Classification[Desk], int], tuple[Classification[str], float]),
    (dict[str, Classification[Desk]], Mapping[str, Classification]),
    (str, T),
    (T, str),
    (int, Number),
    (Base, Static),
    (Callable[[int], str], Callable[[int], str]),
    (Row, Row),
    (list[Row], Sequence[Row]),
]
MISFIT = [
    (str, int),
    (float, int),
    (str | None, str),
    (list[str], str),
    (Sequence[str], list[str]),
    (list[str], Sequence[int]),
    (set[str], Sequence[str]),
    (dict[str, int], Sequence[str]),
    (Mapping[str, int], dict[str, int]),
    (tuple[int, str], tuple[str, int]),
    (tuple[int, str], tuple[int, str, int]),
    (tuple[int, ...], tuple[int, int]),
    (tuple[int, str], Sequence[int]),
    (Desk, Literal["a", "b"]),
    (str, Desk),
    (Base, Child),
    (int, Euros),
    (Classification, Classification[Desk]),
    (Classification[Literal["x"]], Classification[Desk]),
    (list[Classification], Sequence[Classification[Desk]]),
    (Response, Classification),
    (Embedding, Extraction),
    (str, Number),
]


@pytest.mark.parametrize(("gives", "takes"), FIT, ids=lambda hint: show(hint))
def test_fits(gives: Any, takes: Any) -> None:
    assert fits(gives, takes)


@pytest.mark.parametrize(("gives", "takes"), MISFIT, ids=lambda hint: show(hint))
def test_does_not_fit(gives: Any, takes: Any) -> None:
    assert not fits(gives, takes)


@pytest.mark.parametrize(
    ("hint", "text"),
    [
        (str, "str"),
        (None, "None"),
        (list[str], "list[str]"),
        (tuple[int, ...], "tuple[int, ...]"),
        (str | None, "str | None"),
        (Desk, "Literal['a', 'b', 'c']"),
        (Classification[Desk], "Classification[Literal['a', 'b', 'c']]"),
        (Mapping[str, list[int]], "Mapping[str, list[int]]"),
    ],
)
def test_shows_a_hint_as_one_writes_it(hint: Any, text: str) -> None:
    assert show(hint if hint is not None else type(None)) == text


@pytest.mark.parametrize(
    ("hint", "value", "accepted"),
    [
        (str, "a", True),
        (str, 1, False),
        (Sequence[str], ["a"], True),
        (Sequence[str], [1], False),
        (Desk, "a", True),
        (Desk, "z", False),
        (float, 1, True),
        (Classification[Desk], Classification(label="a", scores={"a": 1.0}), True),
        (list[Classification[Desk]], [Classification(label="a", scores={"a": 1.0})], True),
        (Classification[Desk], "a", False),
        (str | None, None, True),
        (Static, object(), True),
    ],
)
def test_holds_a_value_against_a_hint(hint: Any, value: object, accepted: bool) -> None:
    assert accepts(hint, value) is accepted


def plain(text: str) -> int:
    return len(text)


def defaulted(text: str, times: int = 2) -> int:
    return times * len(text)


def bare(text):  # type: ignore[no-untyped-def]
    return text


def silent(text: str):  # type: ignore[no-untyped-def]
    return text


def unknown(text: "NoSuchType") -> int:  # type: ignore[name-defined]  # noqa: F821, UP037
    return 0


def two(text: str, other: str) -> int:
    return 0


def none() -> int:
    return 0


async def slow(text: str) -> int:
    return 0


class CallableObject:
    def __call__(self, text: str) -> int:
        return len(text)

    def method(self, text: str) -> int:
        return len(text)


@pytest.mark.parametrize(
    "function", [plain, defaulted, functools.partial(two, other="x"), CallableObject(), CallableObject().method]
)
def test_reads_annotations(function: Any) -> None:
    assert signature_of(function) == (str, int)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (bare, "an annotation of parameter 'text'"),
        (silent, "an annotation of what it returns"),
        (unknown, "NoSuchType"),
        (two, "text, other"),
        (none, "exactly one parameter"),
        (slow, "an async one"),
        (lambda text: text, "takes=... and gives=..."),
    ],
)
def test_what_cannot_be_read_names_the_function(function: Any, message: str) -> None:
    with pytest.raises(PipelineTypeError) as raised:
        signature_of(function)
    assert message in str(raised.value)
    assert repr(function.__name__) in str(raised.value)


@pytest.mark.parametrize(
    ("request_type", "response"),
    [
        (Classify, Classification[str]),
        (Classify[Desk], Classification[Desk]),
        (Embed, Embedding),
        (Request[Embedding], Embedding),
        (Embed | Classify[Desk], Embedding | Classification[Desk]),
    ],
)
def test_a_request_names_its_response(request_type: Any, response: Any) -> None:
    assert response_hint(request_type, "f") == response


@pytest.mark.parametrize("hint", [str, Classification, None, int | str])
def test_what_is_no_request_is_refused(hint: Any) -> None:
    with pytest.raises(PipelineTypeError, match="is no task"):
        response_hint(hint, "f")
