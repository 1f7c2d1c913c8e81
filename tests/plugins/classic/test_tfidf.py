"""Classification by counted words, from the examples of a request and fitted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from metier import Runtime
from metier_classic.regression import Regression
from metier_contracts import (
    Classify,
    ClassifyFit,
    ConfigError,
    ExampleSet,
    InputError,
    MetierError,
    ModelCard,
    ModelLoadError,
    NoCapableModelError,
    UnsupportedError,
)
from safetensors.numpy import load_file, save_file

MODEL = "classic/tfidf"
EXAMPLES = ExampleSet.from_pairs(
    [
        ("I was charged twice this month", "billing"),
        ("The invoice names a wrong amount", "billing"),
        ("The app closes when I open it", "fault"),
        ("No signal since noon", "fault"),
        ("Thank you for the quick help", "praise"),
        ("Great service, five stars", "praise"),
    ]
)
TWO = ExampleSet.from_pairs([pair for pair in ((e.text, e.label) for e in EXAMPLES.examples) if pair[1] != "praise"])


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("METIER_DATA", str(tmp_path / "data"))
    with Runtime() as runtime:
        yield runtime


def test_words_of_the_examples_tell_the_label(runtime: Runtime) -> None:
    texts = {"charged twice again": "billing", "it closes and has no signal": "fault", "thank you, great": "praise"}
    for text, label in texts.items():
        assert runtime.run(Classify(text=text, examples=EXAMPLES), model=MODEL).label == label


def test_two_labels_are_a_single_line(runtime: Runtime) -> None:
    scores = runtime.run(Classify(text="charged twice", examples=TWO), model=MODEL).scores
    assert scores["billing"] > 0.6
    assert sum(scores.values()) == pytest.approx(1)


def test_a_text_without_a_known_word_has_the_prior(runtime: Runtime) -> None:
    scores = runtime.run(Classify(text="zzz", examples=EXAMPLES), model=MODEL).scores
    assert list(scores.values()) == pytest.approx([1 / 3] * 3, abs=0.02)


def test_a_text_of_several_labels(runtime: Runtime) -> None:
    pairs = [("red round", "red"), ("red round", "round"), ("blue square", "blue"), ("red square", "red")]
    scores = runtime.run(
        Classify(text="a red round thing", examples=ExampleSet.from_pairs(pairs), multi_label=True), model=MODEL
    ).scores
    assert scores["red"] > scores["blue"]
    assert scores["round"] > scores["blue"]
    everywhere = ExampleSet.from_pairs([("a", "x"), ("b", "x"), ("a", "y")])
    scores = runtime.run(Classify(text="a", examples=everywhere, multi_label=True), model=MODEL).scores
    assert scores["x"] == pytest.approx(4 / 5)


def test_what_it_learned_is_remembered(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime.run(Classify(text="x", examples=EXAMPLES), model=MODEL)
    monkeypatch.setattr(Regression, "fit", lambda *_, **__: pytest.fail("learned twice"))
    runtime.run(Classify(text="y", examples=EXAMPLES), model=MODEL)


def test_requests_without_examples_pass_it_by(runtime: Runtime) -> None:
    with pytest.raises(NoCapableModelError, match="zero_shot"):
        runtime.run(Classify(text="x", labels=["a", "b"]), model=MODEL)


@pytest.mark.parametrize(
    ("request_", "word"),
    [
        (Classify(text="x", examples=ExampleSet.from_pairs([("a", "one")])), "one label"),
        (Classify(text="x", examples=ExampleSet.from_pairs([(" \n", "a"), ("\t", "b")])), "no word"),
        (Classify(text="x", labels=["billing", "fault", "praise", "other"], examples=EXAMPLES), "other"),
    ],
)
def test_examples_that_teach_nothing_are_refused(runtime: Runtime, request_: Any, word: str) -> None:
    good = Classify(text="charged", examples=EXAMPLES)
    failure, answer = runtime.map([request_, good], model=MODEL, on_error="collect", progress=False)
    assert isinstance(failure, InputError)
    assert word in str(failure)
    assert not isinstance(answer, MetierError)


class TestFitted:
    @pytest.fixture
    def card(self, runtime: Runtime) -> ModelCard:
        return runtime.fit(ClassifyFit(id="mine/words", base=MODEL, examples=EXAMPLES))

    def test_it_answers_as_what_it_was_fitted_from(self, runtime: Runtime, card: ModelCard) -> None:
        assert card.tasks["classify"].labels == EXAMPLES.labels
        assert card.lineage is not None
        for text in ("charged twice", "thank you", "zzz"):
            fitted = runtime.run(Classify(text=text), model=card.id)
            fresh = runtime.run(Classify(text=text, examples=EXAMPLES), model=MODEL)
            assert fitted.label == fresh.label
            assert fitted.scores == pytest.approx(fresh.scores, abs=1e-6)

    def test_a_request_may_name_some_of_its_labels(self, runtime: Runtime, card: ModelCard) -> None:
        scores = runtime.run(Classify(text="charged", labels=["billing", "praise"]), model=card.id).scores
        assert sum(scores.values()) == pytest.approx(1)
        with pytest.raises(NoCapableModelError, match="other"):
            runtime.run(Classify(text="charged", labels=["billing", "other"]), model=card.id)

    def test_nothing_is_pickled(self, runtime: Runtime, card: ModelCard) -> None:
        folder = Path(str(card.source).removeprefix("path:"))
        assert {path.name for path in folder.iterdir() if path.name.startswith("regression")} == {
            "regression.json",
            "regression.safetensors",
        }


def test_it_fine_tunes_nothing(runtime: Runtime) -> None:
    with pytest.raises(UnsupportedError, match="fine-tune"):
        runtime.fit(ClassifyFit(id="mine/words", base=MODEL, examples=EXAMPLES, method="fine-tune"))


def test_files_that_do_not_fit_together_are_told(tmp_path: Path) -> None:
    Regression.fit(EXAMPLES, multi_label=False, c=10).save(tmp_path)
    arrays = load_file(tmp_path / "regression.safetensors")
    save_file({**arrays, "idf": np.zeros(3, np.float32)}, tmp_path / "regression.safetensors")
    with pytest.raises(ModelLoadError, match="do not fit together"):
        Regression.load(tmp_path)


def test_options_are_checked() -> None:
    card = ModelCard.from_mapping(
        {
            "id": "x/words",
            "plugin": "classic",
            "architecture": "classic",
            "licence": "MIT",
            "options": {"loader": "tfidf", "c": 0},
            "tasks": {"classify": {"labels": "open", "few_shot": True}},
        }
    )
    with Runtime(cards=[card]) as runtime, pytest.raises(ConfigError, match="options"):
        runtime.load("x/words")
