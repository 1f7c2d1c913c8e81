"""Values against hints: what a pipeline takes when it runs."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NewType, NotRequired, Optional, Protocol, TypedDict

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metier.pipeline.values import acceptor
from metier_contracts import Classification, Embedding
from numpy.typing import NDArray
from typing_extensions import TypeAliasType

Desk = Literal["a", "b", "c"]
Euros = NewType("Euros", int)
Alias = TypeAliasType("Alias", list[str])


class Row(TypedDict):
    name: str
    age: NotRequired[int]


class Static(Protocol):
    def walk(self) -> int: ...


class Tree(TypedDict):
    branches: list[Tree]


class Names(Sequence[str]):
    """A sequence that fails where it is read."""

    def __len__(self) -> int:
        raise AssertionError("read")

    def __getitem__(self, index: Any) -> Any:
        raise AssertionError("read")


TREE: Tree = {"branches": [{"branches": []}]}
VERDICT = Classification(label="a", scores={"a": 1.0})
ACCEPTED = [
    (str, "a"),
    (float, 1),
    (float, True),
    (Euros, 1),
    (object, None),
    (Any, None),
    (None, None),
    (str | None, None),
    (Sequence[str], ["a"]),
    (Sequence[str], "abc"),
    (Sequence[int], range(3)),
    (Sequence[float], deque([1, 2.0])),
    (list[str | None], ["a", None]),
    (tuple[int, str], (1, "a")),
    (tuple[int, ...], (1, 2)),
    (Mapping[str, list[int]], {"a": [1]}),
    (Counter[str], Counter("aab")),
    (Desk, "a"),
    (Classification[Desk], VERDICT),
    (list[Classification[Desk]], [VERDICT]),
    (Row, {"name": "x"}),
    (Row, {"name": "x", "age": 3}),
    (Row, {"name": "x", "size": 3}),
    (Tree, TREE),
    (Sequence[str], Names()),
    (Sequence[object], Names()),
    (frozenset[int], frozenset({1})),
    (Iterable[str], {"a": 1}),
    (Alias, ["a"]),
    (np.ndarray, np.zeros(2, dtype=object)),
    (NDArray[np.float32], np.zeros(2, dtype=np.int64)),
    (pd.DataFrame, pd.DataFrame({"a": [1]})),
    (Static, object()),
    (list[Static], [object()]),
    (Optional[Static], object()),  # noqa: UP045
    (Callable[[int], str], len),
    (type[float], int),
]
REFUSED = [
    (str, 1),
    (int, 1.0),
    (int, None),
    (str | None, 1),
    (Sequence[str], ["a"] * 99 + [1]),
    (Sequence[int], "abc"),
    (Sequence[str], {"a"}),
    (list[list[str]], [["a"], ["a", 1]]),
    (tuple[int, str], (1, "a", 2)),
    (tuple[int, ...], (1, "a")),
    (Mapping[str, int], {"a": 1, "b": "c"}),
    (Desk, "z"),
    (Classification[Desk], "a"),
    (Embedding, VERDICT),
    (Row, {"age": 3}),
    (Row, {"name": 3}),
    (Tree, {"branches": [{"branches": [1]}]}),
    (Sequence[int], Names()),
    (frozenset[int], frozenset({1, "a"})),
    (Iterable[int], {"a": 1}),
    (dict[str, int], {1: 1}),
    (deque[int], deque([1, "a"])),
    (Alias, ["a", 1]),
    (Callable[[int], str], 3),
    (type[float], str),
    (np.ndarray, [1.0]),
]


@pytest.mark.parametrize(("hint", "value"), ACCEPTED, ids=[repr(hint) for hint, _ in ACCEPTED])
def test_accepts(hint: Any, value: object) -> None:
    assert acceptor(hint)(value)


@pytest.mark.parametrize(("hint", "value"), REFUSED, ids=[repr(hint) for hint, _ in REFUSED])
def test_refuses(hint: Any, value: object) -> None:
    assert not acceptor(hint)(value)


@pytest.mark.parametrize("hint", [Iterator[str], Iterable[str], Any])
def test_an_iterator_is_not_used_up(hint: Any) -> None:
    for numbers in (iter([1, 2]), (number for number in (1, 2))):
        assert acceptor(hint)(numbers)
        assert list(numbers) == [1, 2]


@given(st.lists(st.integers(), max_size=30), st.integers(0, 30))
def test_one_wrong_member_is_found_wherever_it_stands(numbers: list[int], place: int) -> None:
    accepts = acceptor(Sequence[int])
    assert accepts(numbers)
    assert not accepts([*numbers[:place], "x", *numbers[place:]])
