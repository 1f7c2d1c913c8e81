from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from metier_contracts import CallContext, Classify, ExampleSet, InputError, ModelCard, ModelLoadError


@pytest.fixture(scope="module")
def model(fitted_classifier: tuple[ModelCard, Path], load: Any) -> Any:
    return load(*fitted_classifier)


def test_trained_labels_beat_chance(model: Any, held_out: Sequence[tuple[str, str]]) -> None:
    answers = model.infer([Classify(text=text) for text, _ in held_out], CallContext())
    right = [answer.label == label for answer, (_, label) in zip(answers, held_out, strict=True)]
    assert np.mean(right) >= 0.65
    assert all(sum(answer.scores.values()) == pytest.approx(1.0) for answer in answers)


def test_scores_are_those_of_transformers(
    fitted_classifier: tuple[ModelCard, Path], load: Any, held_out: Sequence[tuple[str, str]]
) -> None:
    from transformers import pipeline

    card, folder = fitted_classifier
    theirs = pipeline("text-classification", model=str(folder), top_k=None, device="cpu")
    ours = load(card, folder, dtype="float32")
    for text, _ in held_out[:5]:
        expected = {one["label"]: one["score"] for one in theirs([text])[0]}
        assert ours.infer([Classify(text=text)], CallContext())[0].scores == pytest.approx(expected, abs=1e-4)
    ours.close()


def test_a_batch_answers_as_singles_do(model: Any, held_out: Sequence[tuple[str, str]]) -> None:
    requests = [Classify(text=text) for text, _ in held_out[:20]]
    for batched, request in zip(model.infer(requests, CallContext()), requests, strict=True):
        assert batched.scores == pytest.approx(model.infer([request], CallContext())[0].scores, abs=2e-2)


def test_multi_label_scores_stand_for_themselves(model: Any, context: CallContext) -> None:
    together, alone = model.infer(
        [Classify(text="Thank you!", labels=labels, multi_label=True) for labels in (None, ["positive"])], context
    )
    assert alone.scores == {"positive": together.scores["positive"]}


def test_one_of_its_labels_is_certain(model: Any, context: CallContext) -> None:
    assert model.infer([Classify(text="Thank you!", labels=["negative"])], context)[0].scores == {"negative": 1.0}


def test_what_it_does_not_know(model: Any, context: CallContext) -> None:
    examples = ExampleSet.from_pairs([("good", "positive"), ("bad", "negative")])
    stranger, taught, good = model.infer(
        [Classify(text="x", labels=["positive", "mixed"]), Classify(text="x", examples=examples), Classify(text="x")],
        context,
    )
    assert isinstance(stranger, InputError)
    assert "'mixed'" in str(stranger)
    assert isinstance(taught, InputError)
    assert "few_shot" in str(taught)
    assert good.label in {"positive", "negative"}


@pytest.fixture
def nameless(fitted_classifier: tuple[ModelCard, Path], tmp_path: Path) -> Path:
    """The same checkpoint with the labels that transformers writes where nobody names them."""
    shutil.copytree(fitted_classifier[1], tmp_path, dirs_exist_ok=True)
    config = (tmp_path / "config.json").read_text()
    for index, label in enumerate(fitted_classifier[0].tasks["classify"].labels or ()):
        config = config.replace(f'"{label}"', f'"LABEL_{index}"')
    (tmp_path / "config.json").write_text(config)
    return tmp_path


def test_the_card_names_nameless_labels(nameless: Path, load: Any, card_for: Any, context: CallContext) -> None:
    model = load(card_for("sequence-classification", "classify", labels=("good", "bad")), nameless)
    assert list(model.infer([Classify(text="x")], context)[0].scores) == ["good", "bad"]
    model.close()


@pytest.mark.parametrize("labels", [("positive", "mixed"), ("positive", "negative", "mixed")])
def test_a_card_with_other_labels(fitted_classifier: Any, load: Any, card_for: Any, labels: tuple[str, ...]) -> None:
    with pytest.raises(ModelLoadError, match="mixed"):
        load(card_for("sequence-classification", "classify", labels=labels), fitted_classifier[1])


def test_one_logit_chooses_nothing(build: Any, load: Any, card_for: Any) -> None:
    folder = build("AutoModelForSequenceClassification", num_labels=1)
    with pytest.raises(ModelLoadError, match="does not choose among labels") as caught:
        load(card_for("sequence-classification", "classify"), folder)
    assert "cross-encoder" in str(caught.value)
