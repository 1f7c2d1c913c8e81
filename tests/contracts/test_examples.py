"""ExampleSet: validated and hashed once, shared by every request."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any, Literal

import pytest
from metier_contracts import CascadeFit, Classify, ClassifyFit, Example, ExampleSet, InputError

MANY = ExampleSet.from_pairs([(f"text number {i}", "ab"[i % 2]) for i in range(200)])
AB = Literal["a", "b"]


@pytest.mark.parametrize(
    "build",
    [
        lambda: Classify(text="x", examples=MANY).examples,
        lambda: Classify(text="x", labels=["a", "b"], examples=MANY).examples,
        lambda: Classify[AB](text="x", examples=MANY).examples,
        lambda: Classify[str](text="x", examples=MANY).examples,
        lambda: ClassifyFit(id="m", examples=MANY).examples,
        lambda: CascadeFit(id="m", cheap="a", strong="b", labelled=MANY).labelled,
    ],
    ids=["Classify", "labels", "Literal", "str", "ClassifyFit", "CascadeFit"],
)
def test_a_set_is_shared_not_copied(build: Callable[[], Any]) -> None:
    assert build() is MANY


def test_labels_and_texts_are_in_order_and_worked_out_once() -> None:
    examples = ExampleSet.from_pairs([("x", "b"), ("y", "a"), ("z", "b")])
    assert examples.labels == ("b", "a")
    assert examples.texts == ("x", "y", "z")
    assert len(examples) == 3
    assert examples.labels is examples.labels
    assert examples.texts is examples.texts
    assert examples.digest is examples.digest


PAIRS = [("x", "a"), ("y", "b"), ("é✓", "a")]


def test_the_digest_is_the_same_in_every_process() -> None:
    code = f"from metier_contracts import ExampleSet; print(ExampleSet.from_pairs({PAIRS!r}).digest)"
    digests = {
        subprocess.run(
            [sys.executable, "-X", "utf8", "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert digests == {ExampleSet.from_pairs(PAIRS).digest}


def test_the_digest_survives_the_wire_and_the_way_of_building() -> None:
    digest = ExampleSet.from_pairs(PAIRS).digest
    assert ExampleSet.from_json(ExampleSet.from_pairs(PAIRS).to_json()).digest == digest
    assert ExampleSet(examples=[Example(text=text, label=label) for text, label in PAIRS]).digest == digest
    assert Classify(text="x", examples=PAIRS).examples.digest == digest
    assert ExampleSet[AB].from_pairs(PAIRS).digest == digest


@pytest.mark.parametrize(
    "other",
    [
        PAIRS[::-1],
        PAIRS[:2],
        [*PAIRS, PAIRS[0]],
        [("x", "b"), *PAIRS[1:]],
        [("x ", "a"), *PAIRS[1:]],
        [("xa", ""), *PAIRS[1:]],
    ],
    ids=["order", "fewer", "more", "label", "text", "border"],
)
def test_the_digest_depends_on_texts_labels_and_order(other: list[tuple[str, str]]) -> None:
    assert ExampleSet.from_pairs(other).digest != ExampleSet.from_pairs(PAIRS).digest


@pytest.mark.parametrize(
    "examples",
    [
        [("t", "a"), ("u", "b")],
        (["t", "a"], ["u", "b"]),
        [{"text": "t", "label": "a"}, {"text": "u", "label": "b"}],
        [Example(text="t", label="a"), ("u", "b")],
        {"examples": [("t", "a"), {"text": "u", "label": "b"}]},
        ExampleSet.from_pairs(iter([("t", "a"), ("u", "b")])),
    ],
    ids=["pairs", "lists", "mappings", "mixed", "fields", "set"],
)
def test_a_request_takes_examples_in_many_forms(examples: Any) -> None:
    request = Classify(text="x", examples=examples)
    assert request.examples == ExampleSet.from_pairs([("t", "a"), ("u", "b")])
    assert request.choices == ("a", "b")


def test_a_parametrised_set_checks_its_labels() -> None:
    assert ExampleSet[AB].from_pairs([("t", "a")]).labels == ("a",)
    with pytest.raises(InputError, match="'a' or 'b'"):
        ExampleSet[AB].from_pairs([("t", "c")])
