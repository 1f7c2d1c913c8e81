"""Classification by inference, beside the pipeline of transformers on a checkpoint that is built here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from metier_contracts import (
    CallContext,
    Classify,
    ConfigError,
    Embed,
    ExampleSet,
    InputError,
    ModelCard,
    ModelLoadError,
    UnsupportedError,
)

LABELS = ("billing", "a fault", "praise 🙂")
TEXTS = ("I was charged twice", "The app closes when I open it. " * 40, "Thanks!")
RELATIONS = (("contradiction", "entailment", "neutral"), ("ENTAILMENT", "NOT_ENTAILMENT"))


@pytest.fixture(scope="module", params=RELATIONS, ids=len)
def folder(request: pytest.FixtureRequest, build: Callable[..., Path]) -> Path:
    names: Sequence[str] = request.param
    return build(
        "AutoModelForSequenceClassification",
        id2label=dict(enumerate(names)),
        label2id={name: column for column, name in enumerate(names)},
    )


@pytest.mark.parametrize("multi_label", [False, True])
def test_scores_are_those_of_transformers(
    folder: Path, load: Any, card_for: Callable[..., ModelCard], multi_label: bool
) -> None:
    from transformers import pipeline

    theirs = pipeline("zero-shot-classification", model=str(folder), device="cpu")
    model = load(card_for("nli", "classify", labels="open"), folder, dtype="float32")
    requests = [Classify(text=text, labels=LABELS, multi_label=multi_label) for text in TEXTS]
    for text, answer in zip(TEXTS, model.infer(requests, CallContext()), strict=True):
        found = theirs(text, list(LABELS), hypothesis_template="This text is about {}.", multi_label=multi_label)
        expected = dict(zip(found["labels"], found["scores"], strict=True))
        assert answer.scores == pytest.approx(expected, abs=1e-4)
        assert answer.label == max(LABELS, key=lambda label: answer.scores[label])
    model.close()


def test_what_it_does_not_serve(folder: Path, load: Any, card_for: Callable[..., ModelCard]) -> None:
    model = load(card_for("nli", "classify", labels="open"), folder)
    examples = ExampleSet.from_pairs([("good", "x"), ("bad", "y")])
    bare, taught, odd, good = model.infer(
        [
            Classify(text="x"),
            Classify(text="x", examples=examples, labels=["x", "y"]),
            Embed(texts=["x"]),
            Classify(text="x", labels=["x", "y"]),
        ],
        CallContext(),
    )
    assert isinstance(bare, InputError)
    assert isinstance(taught, InputError)
    assert isinstance(odd, UnsupportedError)
    assert set(good.scores) == {"x", "y"}
    model.close()


def test_a_checkpoint_of_other_labels_is_refused(
    build: Callable[..., Path], load: Any, card_for: Callable[..., ModelCard]
) -> None:
    folder = build("AutoModelForSequenceClassification", id2label={0: "good", 1: "bad"})
    with pytest.raises(ModelLoadError, match="entails"):
        load(card_for("nli", "classify", labels="open"), folder)


def test_a_template_holds_the_label(folder: Path, load: Any, card_for: Callable[..., ModelCard]) -> None:
    with pytest.raises(ConfigError, match="template"):
        load(card_for("nli", "classify", labels="open", template="It is so."), folder)
