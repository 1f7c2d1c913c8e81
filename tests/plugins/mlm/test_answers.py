"""Answers, and the failures that stand in their place."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from metier_contracts import (
    Classify,
    ExampleSet,
    InputError,
    ModelCard,
)
from metier_mlm.answers import classification, own_labels, ranking, sigmoid, softmax


def test_softmax_and_sigmoid_do_not_overflow() -> None:
    logits = np.array([[1000.0, 0.0, -1000.0]], np.float32)
    assert softmax(logits).tolist() == [[1.0, 0.0, 0.0]]
    assert sigmoid(logits).tolist() == [[1.0, 0.5, 0.0]]
    assert softmax(np.array([1.0, 2.0, 3.0], np.float32)).sum() == pytest.approx(1.0, abs=1e-12)
    assert sigmoid(np.array([2.0])) == pytest.approx(1 / (1 + np.exp(-2.0)))


def test_ties_go_to_the_first() -> None:
    assert classification({"b": 0.5, "a": 0.5}).label == "b"
    ranked = ranking(np.array([0.1, 0.7, 0.7, 0.3], np.float32))
    assert ranked.order == (1, 2, 3, 0)
    assert ranked.scores == pytest.approx((0.7, 0.7, 0.3, 0.1))


def test_labels_of_a_model_with_labels_of_its_own(card_for: Callable[..., ModelCard]) -> None:
    card = card_for("sequence-classification", "classify")
    assert own_labels(Classify(text="x"), ["a", "b"], card) == ["a", "b"]
    assert own_labels(Classify(text="x", labels=["b"]), ["a", "b"], card) == ["b"]
    with pytest.raises(InputError, match="does not know the label 'c'"):
        own_labels(Classify(text="x", labels=["a", "c"]), ["a", "b"], card)
    with pytest.raises(InputError, match="learns from no examples"):
        own_labels(Classify(text="x", examples=ExampleSet.from_pairs([("x", "a")])), ["a", "b"], card)
