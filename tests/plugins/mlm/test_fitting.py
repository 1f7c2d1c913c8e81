from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from metier_contracts import (
    AnnotatedText,
    CallContext,
    Cancelled,
    CascadeFit,
    Classify,
    ClassifyFit,
    ExampleSet,
    Extract,
    ExtractFit,
    ModelCard,
    UnsupportedError,
)

EXAMPLES = ExampleSet.from_pairs([("I love it", "yes"), ("Great work", "yes"), ("I hate it", "no"), ("Bad work", "no")])


def scores(model: Any, texts: Sequence[str], **asked: Any) -> np.ndarray:
    answers = model.infer([Classify(text=text, **asked) for text in texts], CallContext())
    return np.array([list(answer.scores.values()) for answer in answers])


@pytest.fixture(scope="module")
def head(encoder: Any, short_opinions: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[ModelCard, Path]:
    folder = tmp_path_factory.mktemp("head")
    fit = ClassifyFit(id="opinion-head", examples=ExampleSet.from_pairs(short_opinions))
    return encoder.fit(fit, folder, CallContext()), folder


def test_a_head_predicts_what_its_examples_do(
    head: tuple[ModelCard, Path], encoder: Any, load: Any, short_opinions: Any, held_out: Sequence[tuple[str, str]]
) -> None:
    texts = [text for text, _ in held_out]
    fitted = load(*head)
    given = scores(encoder, texts, examples=ExampleSet.from_pairs(short_opinions))
    assert np.abs(scores(fitted, texts) - given).max() <= 2e-2
    fitted.close()


def test_the_card_of_a_head(head: tuple[ModelCard, Path], cards: dict[str, ModelCard], load: Any) -> None:
    card, folder = head
    base = cards["all-MiniLM-L6-v2"]
    assert card.tasks.keys() == {"classify"}
    assert card.tasks["classify"].labels == ("positive", "negative")
    assert (card.architecture, card.licence, card.plugin) == (base.architecture, base.licence, "mlm")
    assert {path.name for path in folder.iterdir()} >= {"head.safetensors", "head.json", "model.safetensors"}
    fitted = load(card, folder, dtype="float32")
    assert fitted.resident_bytes() == pytest.approx(card.bytes, rel=0.01)
    fitted.close()


def test_the_base_is_left_alone(weights: Any, head: tuple[ModelCard, Path], cards: dict[str, ModelCard]) -> None:
    from metier.weights import WeightStore

    assert WeightStore().ensure(cards["all-MiniLM-L6-v2"]) == weights("all-MiniLM-L6-v2")


def test_the_card_of_a_fine_tuned_classifier(fitted_classifier: tuple[ModelCard, Path]) -> None:
    card, folder = fitted_classifier
    assert card.id == "opinions"
    assert card.tasks["classify"].labels == ("positive", "negative")
    assert card.parameters == card.bytes // 4 > 22_000_000
    assert {path.suffix for path in folder.iterdir()} <= {".json", ".safetensors", ".txt"}


def test_the_card_of_a_tagger(fitted_tagger: tuple[ModelCard, Path]) -> None:
    card, _ = fitted_tagger
    assert card.tasks["extract"].labels == ("HANDLE", "HASHTAG")
    assert card.options["loader"] == "token-classification"


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("method", ["head", "fine-tune"])
def test_the_same_seed_writes_the_same_files(exact_encoder: Any, method: Any, tmp_path: Path) -> None:
    written = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        exact_encoder.fit(ClassifyFit(id="same", examples=EXAMPLES, method=method, seed=3), folder, CallContext())
        written.append(files(folder))
    assert written[0] == written[1]


def test_fitting_reports_and_stops(exact_encoder: Any, tmp_path: Path) -> None:
    context = CallContext(progress=lambda done, total: context.cancel())
    fit = ClassifyFit(id="stopped", examples=EXAMPLES, method="fine-tune", epochs=3, batch_size=2)
    with pytest.raises(Cancelled):
        exact_encoder.fit(fit, tmp_path, context)


def test_a_tagger_round_trip(
    fitted_tagger: tuple[ModelCard, Path], load: Any, annotated: Sequence[AnnotatedText]
) -> None:
    texts = [example.text for example in annotated[:10]]
    answers = []
    for _ in range(2):
        model = load(*fitted_tagger)
        answers.append(model.infer([Extract(text=text) for text in texts], CallContext()))
        model.close()
    assert answers[0] == answers[1]


def test_other_fits_are_refused(encoder: Any, tmp_path: Path) -> None:
    fit = CascadeFit(id="cascade", cheap="a", strong="b", labelled=EXAMPLES)
    with pytest.raises(UnsupportedError, match="ClassifyFit or ExtractFit"):
        encoder.fit(fit, tmp_path, CallContext())


def test_a_fine_tuned_base_stays_as_it_was(exact_encoder: Any, fitted_classifier: Any, fitted_tagger: Any) -> None:
    assert isinstance(fitted_tagger[0], ModelCard)
    assert exact_encoder.resident_bytes() == pytest.approx(exact_encoder.card.bytes, rel=0.01)
    assert all(parameter.dtype.is_floating_point for parameter in exact_encoder._network.module.parameters())


def test_extract_needs_examples_with_entities(fitted_tagger: Any) -> None:
    with pytest.raises(ValueError, match="at least one entity"):
        ExtractFit(id="none", examples=[AnnotatedText(text="nothing here")])


def test_a_head_survives_its_base(build: Any, load: Any, card_for: Any, tmp_path: Path) -> None:
    """A folder of the user's may be written over in place, as a training script does."""
    base = build("AutoModel")
    encoder = load(card_for("sentence-encoder", "embed"), base)
    card = encoder.fit(ClassifyFit(id="kept", examples=EXAMPLES), tmp_path, CallContext())
    before = (tmp_path / "model.safetensors").read_bytes()
    with (base / "model.safetensors").open("r+b") as file:
        file.truncate(100)
    assert (tmp_path / "model.safetensors").read_bytes() == before
    fitted = load(card, tmp_path)
    assert fitted.infer([Classify(text="I love it")], CallContext())[0].label in {"yes", "no"}
    encoder.close()
    fitted.close()


def test_pulled_weights_take_no_space_twice(head: tuple[ModelCard, Path], weights: Any) -> None:
    pulled, copied = weights("all-MiniLM-L6-v2") / "model.safetensors", head[1] / "model.safetensors"
    if pulled.stat().st_dev != copied.stat().st_dev:
        pytest.skip("the two folders lie on two disks")
    assert pulled.samefile(copied)


def test_a_link_is_followed(build: Any, load: Any, cards: dict[str, ModelCard], tmp_path: Path) -> None:
    """Caches of other tools hold links to files elsewhere, which would lead nowhere from the new folder."""
    base, linked, target = build("AutoModel"), tmp_path / "linked", tmp_path / "target"
    linked.mkdir()
    target.mkdir()
    for path in base.iterdir():
        (linked / path.name).symlink_to(path)
    encoder = load(cards["all-MiniLM-L6-v2"], linked)
    card = encoder.fit(ClassifyFit(id="linked", examples=EXAMPLES), target, CallContext())
    assert not any(path.is_symlink() for path in target.iterdir())
    load(card, target).close()
    encoder.close()
