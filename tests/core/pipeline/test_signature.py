"""Reading functions: what they take and give, and what cannot be read."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Generic, Literal, NamedTuple, NotRequired, TypedDict, TypeVar

import pytest
from metier.pipeline.signature import fields_of, name_of, refuse_async, response_hint, signature_of
from metier_contracts import Classification, Classify, Contract, Embed, Embedding, PipelineTypeError, Request

Desk = Literal["a", "b", "c"]
T = TypeVar("T")


class SortByDesk(Classify[Desk]): ...


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


def keyword_only(*, text: str) -> int:
    return 0


def starred(*texts: str) -> int:
    return 0


async def slow(text: str) -> int:
    return 0


async def stream(text: str) -> AsyncIterator[int]:
    yield len(text)


@functools.wraps(slow)
def waiting(*arguments: Any) -> Any:
    return 0


class AsyncObject:
    async def __call__(self, text: str) -> int:
        return len(text)


@dataclass
class Title:
    text: str


@functools.lru_cache
def cached(text: str) -> int:
    return len(text)


@functools.wraps(plain)
def wrapped(*arguments: Any) -> Any:
    return plain(*arguments)


class CallableObject:
    def __call__(self, text: str) -> int:
        return len(text)

    def method(self, text: str) -> int:
        return len(text)


@pytest.mark.parametrize(
    "function",
    [
        plain,
        defaulted,
        cached,
        wrapped,
        functools.partial(two, other="x"),
        functools.partial(functools.partial(two), other="x"),
        functools.partial(cached),
        CallableObject(),
        CallableObject().method,
    ],
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
        (keyword_only, "text"),
        (starred, "exactly one parameter"),
        (functools.wraps(two)(functools.partial(two, text="x")), "exactly one parameter"),
        (int, "a builtin without one"),
        (len, "an annotation of parameter 'obj'"),
        (lambda text: text, "takes=... and gives=..."),
    ],
)
def test_what_cannot_be_read_names_the_function(function: Any, message: str) -> None:
    with pytest.raises(PipelineTypeError) as raised:
        signature_of(function)
    assert message in str(raised.value)
    assert repr(function.__name__) in str(raised.value)


@pytest.mark.parametrize(
    "function",
    [
        slow,
        stream,
        AsyncObject(),
        functools.partial(slow),
        functools.partial(AsyncObject(), text="x"),
        AsyncObject().__call__,
    ],
)
def test_async_functions_are_refused(function: Any) -> None:
    with pytest.raises(PipelineTypeError, match="an async one"):
        refuse_async(function)


@pytest.mark.parametrize("function", [plain, waiting, Title, CallableObject(), functools.partial(plain)])
def test_plain_functions_are_not(function: Any) -> None:
    refuse_async(function)


@pytest.mark.parametrize(
    ("request_type", "response"),
    [
        (Classify, Classification[str]),
        (Classify[Desk], Classification[Desk]),
        (SortByDesk, Classification[Desk]),
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


def test_a_class_gives_itself() -> None:
    assert signature_of(Title) == (str, Title)


def test_names() -> None:
    def inner(text: str) -> int:
        return 0

    named = [plain, inner, functools.partial(plain), CallableObject(), CallableObject().method, str.upper]
    assert [name_of(one) for one in named] == [
        "plain",
        "inner",
        "plain",
        "CallableObject",
        "CallableObject.method",
        "str.upper",
    ]


class Point(NamedTuple):
    x: int
    y: int = 0


class Row(TypedDict):
    x: int
    y: int


class Model(Contract):
    x: int
    y: int = 0


@dataclass(frozen=True)
class Holder(Generic[T]):
    x: T


@dataclass(frozen=True)
class Lists(Holder[T]):
    y: list[T] | None = None


class Typed(Contract, Generic[T]):
    x: T


class Plain:
    x: str

    def __init__(self, x: int, y: int = 0) -> None:
        self.x = str(x + y)


class Crate(TypedDict, Generic[T]):
    x: T
    y: NotRequired[int]


def made(x: int, y: int = 0, *rest: int) -> str:
    return ""


@pytest.mark.parametrize(
    ("into", "takes", "needs", "gives"),
    [
        (Point, {"x": int, "y": int}, {"x"}, Point),
        (Row, {"x": int, "y": int}, {"x", "y"}, Row),
        (Model, {"x": int, "y": int}, {"x"}, Model),
        (Title, {"text": str}, {"text"}, Title),
        (Holder[int], {"x": int}, {"x"}, Holder[int]),
        (Holder, {"x": Any}, {"x"}, Holder),
        (Lists[int], {"x": int, "y": list[int] | None}, {"x"}, Lists[int]),
        (Typed[int], {"x": int}, {"x"}, Typed[int]),
        (Crate[int], {"x": int, "y": int}, {"x"}, Crate[int]),
        (Plain, {"x": int, "y": int}, {"x"}, Plain),
        (functools.partial(made, y=1), {"x": int, "y": int}, {"x"}, str),
        (made, {"x": int, "y": int}, {"x"}, str),
    ],
)
def test_fields(into: Any, takes: dict[str, Any], needs: set[str], gives: Any) -> None:
    fields = fields_of(into)
    assert (fields.takes, fields.needs, fields.gives) == (takes, needs, gives)


@dataclass
class Lost:
    x: "NoSuchType"  # type: ignore[name-defined]  # noqa: F821, UP037


@pytest.mark.parametrize(
    ("into", "message"), [(Lost, "NoSuchType"), (dict, "a signature"), (3, "a value"), (slow, "an async one")]
)
def test_fields_that_cannot_be_read(into: Any, message: str) -> None:
    with pytest.raises(PipelineTypeError, match=message):
        fields_of(into)
