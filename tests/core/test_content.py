"""The digest by which a value is known again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from metier.content import content_of
from metier_contracts import Classify, ExampleSet, Graph, Image, Series
from PIL import Image as Pillow


class Colour(Enum):
    RED = 1
    BLUE = 2


@dataclass
class Note:
    text: str
    size: int


class Pair(NamedTuple):
    one: int
    other: int


class Plain:
    def __init__(self, value: Any) -> None:
        self.value = value


VALUES: list[Callable[[], Any]] = [
    lambda: "text",
    lambda: "\ud800",
    lambda: b"text",
    lambda: 1,
    lambda: 1.0,
    lambda: True,
    lambda: None,
    list,
    lambda: ["a", "bc"],
    lambda: ["ab", "c"],
    lambda: [["a"], "b"],
    lambda: ["a", ["b"]],
    lambda: ("a", "b"),
    lambda: {"a": 1, "b": 2},
    lambda: {"a": 2, "b": 1},
    lambda: {"a", "b"},
    lambda: Colour.RED,
    lambda: Colour.BLUE,
    lambda: date(2026, 11, 28),
    lambda: Path("a"),
    lambda: Note("a", 1),
    lambda: Note("a", 2),
    lambda: Pair(1, 2),
    lambda: Plain(1),
    lambda: Plain([1]),
    lambda: np.arange(6),
    lambda: np.arange(6).reshape(2, 3),
    lambda: np.arange(6, dtype=np.int32),
    lambda: np.array([["a"], [1]], dtype=object),
    lambda: Pillow.new("RGB", (3, 2), "red"),
    lambda: Pillow.new("RGB", (2, 3), "red"),
    lambda: Image(pixels=np.zeros((2, 2, 3), np.uint8)),
    lambda: Series(values=np.arange(3.0)),
    lambda: Series(values=np.arange(3.0), frequency="D"),
    lambda: Graph(edge_index=np.array([[0], [1]]), num_nodes=2),
    lambda: Classify(text="a", labels=["b"]),
    lambda: Classify(text="a", examples=ExampleSet.from_pairs([("a", "b"), ("c", "d")])),
    lambda: len,
    lambda: Note,
]


def test_equal_values_have_one_digest_and_others_another() -> None:
    digests = [content_of(make()) for make in VALUES]
    assert None not in digests
    assert len(set(digests)) == len(VALUES)
    assert digests == [content_of(make()) for make in VALUES]


def test_the_order_of_dicts_and_sets_does_not_count() -> None:
    assert content_of({"a": 1, "b": 2}) == content_of({"b": 2, "a": 1})
    assert content_of(OrderedDict(a=1, b=2)) == content_of(OrderedDict(b=2, a=1))
    assert content_of({*range(100)}) == content_of({*reversed(range(100))})


def test_arrays_are_known_by_what_they_hold_and_not_how() -> None:
    square = np.arange(16).reshape(4, 4)
    assert content_of(square.T) == content_of(square.T.copy())
    assert content_of(square[::2]) == content_of(np.array(square[::2]))


def test_what_a_record_finds_out_meanwhile_does_not_count() -> None:
    examples = ExampleSet.from_pairs([("a", "b"), ("c", "d")])
    before = content_of(examples)
    assert examples.digest
    assert content_of(examples) == before


def test_tensors_are_known_by_what_they_hold() -> None:
    torch = pytest.importorskip("torch")
    assert content_of(torch.arange(6)) == content_of(torch.arange(6)) != content_of(torch.arange(6).reshape(2, 3))


def test_tables_are_known_by_what_they_hold() -> None:
    pandas = pytest.importorskip("pandas")
    one, two = (pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]}, index=index) for index in ([0, 1], [1, 2]))
    assert content_of(one) == content_of(one.copy()) != content_of(two)


def circle() -> list[Any]:
    ring: list[Any] = []
    ring.append(ring)
    return ring


@pytest.mark.parametrize("value", [threading.Lock(), (n for n in "ab"), circle(), [threading.Lock()]])
def test_what_cannot_be_read_has_none(value: Any) -> None:
    assert content_of(value) is None
