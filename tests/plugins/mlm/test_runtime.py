"""Fitting through the runtime: the model is listed, used by its id, and there the next time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from metier import Runtime
from metier_contracts import Classify, ClassifyFit, ExampleSet, Extract, ExtractFit, NoCapableModelError

EXAMPLES = ExampleSet.from_pairs(
    [
        ("I was charged twice", "billing"),
        ("There is a fee I do not know", "billing"),
        ("Why do I pay more this month?", "billing"),
        ("Your driver was very kind", "praise"),
        ("Great service, thank you", "praise"),
        ("The technician was friendly and quick", "praise"),
    ]
)
QUESTION = Classify(text="Why do I pay this amount?")


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    """A runtime that keeps fitted models in a folder of the test's; pulled weights are those of the user."""
    monkeypatch.setenv("METIER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("METIER_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    with Runtime() as runtime:
        yield runtime


@pytest.mark.parametrize("method", ["head", "fine-tune"])
def test_a_fitted_classifier(runtime: Runtime, method: str) -> None:
    fit = ClassifyFit(
        id="mine/desk", examples=EXAMPLES, method=method, epochs=6, batch_size=6, learning_rate=3e-4, seed=1
    )
    reports: list[tuple[int, int | None]] = []
    card = runtime.fit(fit, progress=lambda done, total: reports.append((done, total)))
    assert card.lineage is not None
    assert (card.lineage.base, card.lineage.method) == ("all-MiniLM-L6-v2", method)
    assert (card.lineage.num_examples, card.lineage.examples_sha256) == (len(EXAMPLES), EXAMPLES.digest)
    assert card.lineage.settings["seed"] == 1
    assert reports == ([] if method == "head" else [(step, 6) for step in range(1, 7)])
    assert [info.origin for info in runtime.models() if info.card.id == "mine/desk"] == ["fitted"]
    answer = runtime.run(QUESTION, model="mine/desk")
    assert answer.label == "billing"
    assert answer.provenance is not None
    assert answer.provenance.model == "mine/desk"
    with Runtime() as later:
        again = later.run(QUESTION, model="mine/desk")
    assert again.scores == answer.scores


def test_a_fitted_tagger(runtime: Runtime, tagger_fit: ExtractFit, held_out: Sequence[tuple[str, str]]) -> None:
    some = tagger_fit.model_copy(update={"examples": tagger_fit.examples[:24], "epochs": 1})
    card = runtime.fit(some)
    assert card.tasks["extract"].labels == ("HANDLE", "HASHTAG")
    for text, _ in held_out[:5]:
        for entity in runtime.run(Extract(text=text), model=card.id).entities:
            assert entity.stands_in(text)


def test_what_the_fitted_model_does_not_know_is_an_error(runtime: Runtime) -> None:
    runtime.fit(ClassifyFit(id="mine/desk", examples=EXAMPLES))
    with pytest.raises(NoCapableModelError, match="weather"):
        runtime.run(Classify(text="x", labels=["weather"]), model="mine/desk")


def test_labels_without_a_plan_of_their_own(runtime: Runtime) -> None:
    answer = runtime.run(Classify(text="The match ended in a draw", labels=["sports", "cooking"]))
    assert answer.label == "sports"
    assert answer.provenance is not None
    assert answer.provenance.model == "all-MiniLM-L6-v2"
