"""classify: where labels come from, and which labels an answer holds."""

from typing import Literal

import pytest
from metier_contracts import TASKS, Capabilities, Classification, Classify

from ..samples.data import EXAMPLES

AB = Literal["a", "b"]


def test_labels_come_from_the_literal() -> None:
    assert Classify[AB](text="x").labels == ("a", "b")
    assert Classify[AB](text="x", labels=None).labels == ("a", "b")


def test_labels_given_narrow_the_literal() -> None:
    assert Classify[AB](text="x", labels=["b"]).labels == ["b"]


@pytest.mark.parametrize("kind", [Classify, Classify[str]])
def test_without_a_literal_there_are_no_labels(kind: type[Classify]) -> None:
    assert kind(text="x").labels is None


def test_choices_are_labels_then_those_of_the_examples_then_none() -> None:
    assert Classify(text="x", labels=["billing", "outage", "praise", "other"], examples=EXAMPLES).choices[3] == "other"
    assert Classify(text="x", examples=EXAMPLES).choices == ("billing", "outage", "praise")
    assert Classify(text="x").choices is None


@pytest.mark.parametrize(
    ("threshold", "labels"), [(0.5, ("b", "a")), (0.6, ("b",)), (0.95, ()), (0.0, ("b", "a", "c"))]
)
def test_above_gives_the_labels_of_a_multi_label_answer_best_first(threshold: float, labels: tuple[str, ...]) -> None:
    answer = Classification(label="b", scores={"a": 0.5, "b": 0.9, "c": 0.1})
    assert answer.above(threshold) == labels
    assert answer.above() == ("b", "a")


@pytest.mark.parametrize("total", [0.9991, 1.0, 1.0009])
def test_rounding_does_not_break_the_sum(total: float) -> None:
    answer = Classification(label="a", scores={"a": 0.75, "b": total - 0.75})
    assert TASKS["classify"].violation(Classify(text="x"), answer, Capabilities()) is None


def test_either_of_two_equal_labels_is_the_best() -> None:
    for label in "ab":
        answer = Classification(label=label, scores={"a": 0.5, "b": 0.5})
        assert TASKS["classify"].violation(Classify(text="x"), answer, Capabilities()) is None


def test_an_answer_of_a_parametrised_class_is_an_answer() -> None:
    answer = Classification[AB](label="a", scores={"a": 0.5, "b": 0.5})
    assert TASKS["classify"].violation(Classify[AB](text="x"), answer, Capabilities()) is None
