"""Type hints at build time: what fits into what, and what cannot be read."""

from __future__ import annotations

import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Collection, Generator, Hashable, ItemsView, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    Never,
    NewType,
    NoReturn,
    Optional,
    Protocol,
    TypedDict,
    TypeVar,
    Union,
    runtime_checkable,
)

import numpy as np
import pytest
import typing_extensions
from metier.pipeline.hints import arguments_as, fits, show
from metier_contracts import Classification, Classify, Embed, Embedding, Extraction, Request, Response
from numpy.typing import NDArray
from typing_extensions import TypeAliasType

Desk = Literal["a", "b", "c"]
Euros = NewType("Euros", int)
T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
T_contra = TypeVar("T_contra", contravariant=True)
Number = TypeVar("Number", bound=int)


class Base: ...


class Child(Base): ...


class Row(TypedDict):
    name: str


class Longer(Row):
    age: int


class Place(NamedTuple):
    number: int
    name: str


class Static(Protocol):
    def walk(self) -> int: ...


@runtime_checkable
class Walker(Protocol):
    def walk(self) -> int: ...


class Walking:
    def walk(self) -> int:
        return 1


class Colour(Enum):
    RED = 1
    GREEN = 2


class Level(IntEnum):
    LOW = 1


@dataclass
class Box(Generic[T]):
    content: T


class IntBox(Box[int]): ...


class Two(Generic[T, Number]): ...


class Swapped(Two[T, Number], Generic[Number, T]): ...


class Reversed(Mapping[V, K], Generic[K, V]): ...


class Loose(Box, Generic[T]): ...  # type: ignore[type-arg]


class Handler(Generic[T_contra]): ...


class Shape(NamedTuple, Generic[T]):
    sides: int
    name: T


class Crate(TypedDict, Generic[T]):
    content: T


class Tree(TypedDict):
    branches: list[Tree]


class Bush(TypedDict):
    branches: list[Bush]


class OldRow(typing_extensions.TypedDict):
    name: str


class Names(list[str]): ...


class Ages(dict[str, int]): ...


class OfDesk(Classification[Desk]): ...


class SortByDesk(Classify[Desk]): ...


Alias = TypeAliasType("Alias", Literal["a", "b", "c"])
Many = TypeAliasType("Many", list[T], type_params=(T,))
Swap = TypeAliasType("Swap", dict[V, K], type_params=(K, V))


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
    (list[bool], Sequence[int]),
    (list[bool], list[int]),
    (Row, Mapping[str, object]),
    (Row, OldRow),
    (OldRow, Mapping[str, object]),
    (Crate[bool], Crate[int]),
    (Tree, Bush),
    (Shape[str], tuple[int, str]),
    (Reversed[int, str], Mapping[str, int]),
    (Reversed, Mapping[str, int]),
    (Loose[str], Box[int]),
    (Handler[Base], Handler[Child]),
    (Swap[int, str], Mapping[str, int]),
    (list[str | None], Sequence[Optional[str]]),  # noqa: UP045
    (list[Euros], Sequence[int]),
    (Longer, Row),
    (bool, float),
    (Euros, float),
    (Level, float),
    (Literal[1], float),
    (Literal[Colour.RED], Colour),
    (Desk, Literal["a", "b"] | Literal["c", "d"]),
    (Optional[Desk], Literal["a", "b", "c", None]),  # noqa: UP045
    (Literal["a"], Sequence[str]),
    (Place, tuple[int, str]),
    (Place, Sequence[int | str]),
    (tuple, tuple[int, ...]),
    (tuple[Any, ...], tuple[int, int]),
    (list, Sequence[str]),
    (dict, Mapping[str, int]),
    (Box, Box[int]),
    (Box[int], Box[float]),
    (IntBox, Box[int]),
    (Swapped[int, str], Two[str, int]),
    (Names, Sequence[str]),
    (Ages, Mapping[str, float]),
    (Ages, Iterable[str]),
    (dict[str, int], Iterable[str]),
    (Mapping[str, int], Collection[str]),
    (Counter[str], Mapping[str, int]),
    (Counter[str], Iterable[str]),
    (defaultdict[str, int], dict[str, int]),
    (OrderedDict[str, int], Mapping[str, int]),
    (deque[int], Sequence[int]),
    (ItemsView[str, int], Iterable[tuple[str, int]]),
    (Generator[int, None, None], Iterator[int]),
    (bytes, Sequence[int]),
    (range, Sequence[int]),
    (str, Hashable),
    (Walking, Walker),
    (OfDesk, Classification[str]),
    (list[OfDesk], Sequence[Classification[Desk]]),
    (Alias, str),
    (Literal["a"], Alias),
    (Many[int], Sequence[float]),
    (Never, str),
    (NoReturn, str),
    (type[bool], type[int]),
    (type[int], Callable[..., Any]),
    (Callable[[float], int], Callable[[int], float]),
    (Callable[..., int], Callable[[str], int]),
    (list[Annotated[int, "euros"]], Sequence[Annotated[float, "euros"]]),
    (list[int] | list[str], Sequence[int | str]),
    (NDArray[np.float32], np.ndarray),
    (np.ndarray, NDArray[np.float32]),
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
    (object, str),
    (str, Never),
    (Crate[str], Crate[int]),
    (Shape[str], tuple[int, int]),
    (Reversed[int, str], Mapping[int, str]),
    (Handler[Child], Handler[Base]),
    (Swap[int, str], Mapping[int, str]),
    (list[str | None], list[str]),
    (list[int], Sequence[Euros]),
    (tuple[int], tuple[int, int]),
    (tuple[int, int, int], tuple[int, int]),
    (dict[str, int], Mapping[str, str]),
    (dict[str, int], Collection[int]),
    (list[float], Sequence[bool]),
    (Row, dict[str, Any]),
    (dict[str, str], Row),
    (Row, Longer),
    (Place, tuple[int, int]),
    (tuple[int, str], Place),
    (Colour, Literal[Colour.RED]),
    (Sequence, list[str]),
    (Box[int], Box[str]),
    (IntBox, Box[str]),
    (Swapped[int, str], Two[int, str]),
    (Names, Sequence[int]),
    (Ages, Mapping[str, str]),
    (dict[str, int], Iterable[int]),
    (Counter[str], Mapping[str, str]),
    (ItemsView[str, int], Iterable[str]),
    (Generator[int, None, None], Iterator[str]),
    (range, Sequence[str]),
    (str, Sequence[int]),
    (int, Walker),
    (OfDesk, Classification[Literal["x"]]),
    (str, Alias),
    (Many[int], Sequence[str]),
    (int, type[int]),
    (Callable[[int], int], Callable[[str], int]),
    (Callable[[int], int], Callable[[int, int], int]),
    (Callable[[int], str], Callable[[int], int]),
    (list[int | str], list[int] | list[str]),
    (NDArray[np.float32], NDArray[np.int64]),
    (None, int),
    (int, None),
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
        (Callable[[int, str], bool], "Callable[[int, str], bool]"),
        (Callable[..., None], "Callable[..., None]"),
        (Euros, "Euros"),
        (Alias, "Alias"),
        (Box[int], "Box[int]"),
        (Any, "Any"),
    ],
)
def test_shows_a_hint_as_one_writes_it(hint: Any, text: str) -> None:
    assert show(type(None) if hint is None else hint) == text


@pytest.mark.parametrize(
    ("hint", "target", "arguments"),
    [
        (Classify, Request, (Classification[str],)),
        (Classify[Desk], Request, (Classification[Desk],)),
        (SortByDesk, Request, (Classification[Desk],)),
        (Embed, Request, (Embedding,)),
        (Swapped[int, str], Two, (str, int)),
        (Ages, Iterable, (str, int)),
        (list, Iterable, ()),
    ],
)
def test_arguments_are_seen_through_bases(hint: Any, target: Any, arguments: Any) -> None:
    assert arguments_as(hint, target) == arguments


@pytest.mark.skipif(sys.version_info < (3, 12), reason="`type X = ...` needs Python 3.12")
def test_type_statements_are_seen_through() -> None:
    names: dict[str, Any] = {}
    exec("type Words = list[str]\ntype Json = list[Json] | str", names)
    assert fits(names["Words"], Sequence[str])
    assert not fits(names["Words"], Sequence[int])
    assert fits(list[list[str]], names["Json"])
    assert not fits(list[int], names["Json"])
