"""The models under test, with their real weights, and the texts they are tested on."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import metier_mlm
import pytest
from metier.weights import WeightStore
from metier_contracts import (
    AnnotatedText,
    CallContext,
    ClassifyFit,
    Entity,
    ExampleSet,
    ExtractFit,
    ModelCard,
    Placement,
    read_manifest,
)
from metier_contracts.hooks import MANIFEST_NAME
from metier_mlm.plugin import metier_load

Load = Callable[..., Any]
Opinion = tuple[str, str]


@pytest.fixture(scope="session")
def cards() -> Mapping[str, ModelCard]:
    manifest = read_manifest(Path(metier_mlm.__file__).with_name(MANIFEST_NAME))
    return {card.id: card for card in manifest.models}


@pytest.fixture(scope="session")
def weights(cards: Mapping[str, ModelCard]) -> Callable[[str], Path]:
    """Return the folder of a card's weights, pulled at first use into the user's cache."""
    store = WeightStore()

    def folder(name: str) -> Path:
        found = store.ensure(cards[name])
        assert found is not None
        return found

    return folder


@pytest.fixture(scope="session")
def load(cards: Mapping[str, ModelCard], weights: Callable[[str], Path]) -> Load:
    """Load a card of the manifest by id, or any card from a folder."""

    def load(card: str | ModelCard, directory: Path | None = None, **placement: Any) -> Any:
        if isinstance(card, str):
            card, directory = cards[card], weights(card)
        return metier_load(card=card, placement=Placement(directory=directory, **placement))

    return load


@pytest.fixture(scope="session")
def encoder(load: Load) -> Any:
    """all-MiniLM-L6-v2 as it is placed by default."""
    return load("all-MiniLM-L6-v2")


@pytest.fixture(scope="session")
def exact_encoder(load: Load) -> Any:
    """all-MiniLM-L6-v2 in float32."""
    return load("all-MiniLM-L6-v2", dtype="float32")


@pytest.fixture(scope="session")
def antiberty(load: Load) -> Any:
    return load("antiberty")


@pytest.fixture(scope="session")
def spacy_model(load: Load) -> Any:
    return load("en-core-web-sm")


@pytest.fixture
def context() -> CallContext:
    return CallContext()


def make_card(loader: str, task: str, **options: Any) -> ModelCard:
    """Return a card for a checkpoint that a test builds."""
    labels = options.pop("labels", None)
    return ModelCard(
        id="built",
        plugin="mlm",
        architecture="mlm",
        licence="Apache-2.0",
        options={"loader": loader, **options},
        tasks={task: {"labels": labels}},
    )


@pytest.fixture(scope="session")
def card_for() -> Callable[..., ModelCard]:
    return make_card


@pytest.fixture(scope="session")
def opinions() -> Sequence[Opinion]:
    """400 (text, label) pairs, half of them positive and half negative."""
    with (Path(__file__).parent / "data" / "opinions.csv").open(encoding="utf-8", newline="") as file:
        return [(row["text"], row["label"]) for row in csv.DictReader(file)]


@pytest.fixture(scope="session")
def mentions(opinions: Sequence[Opinion]) -> Sequence[AnnotatedText]:
    """The opinions with their @handles and #hashtags as entities."""
    return [_annotate(text) for text, _ in opinions]


def _annotate(text: str) -> AnnotatedText:
    found = re.finditer(r"(?<!\w)[@#]\w+", text)
    kinds = {"@": "HANDLE", "#": "HASHTAG"}
    return AnnotatedText(
        text=text,
        entities=tuple(Entity(text=one[0], label=kinds[one[0][0]], start=one.start(), end=one.end()) for one in found),
    )


@pytest.fixture(scope="session")
def classifier_fit(opinions: Sequence[Opinion]) -> ClassifyFit:
    examples = ExampleSet.from_pairs(opinions[:256])
    return ClassifyFit(
        id="opinions", examples=examples, method="fine-tune", epochs=2, batch_size=16, learning_rate=2e-4
    )


@pytest.fixture(scope="session")
def tagger_fit(mentions: Sequence[AnnotatedText]) -> ExtractFit:
    return ExtractFit(id="mentions", examples=mentions[:160], epochs=2, batch_size=16, learning_rate=3e-4)


@pytest.fixture(scope="session")
def fitted_classifier(
    exact_encoder: Any, classifier_fit: ClassifyFit, tmp_path_factory: pytest.TempPathFactory
) -> tuple[ModelCard, Path]:
    folder = tmp_path_factory.mktemp("classifier")
    return exact_encoder.fit(classifier_fit, folder, CallContext()), folder


@pytest.fixture(scope="session")
def fitted_tagger(
    exact_encoder: Any, tagger_fit: ExtractFit, tmp_path_factory: pytest.TempPathFactory
) -> tuple[ModelCard, Path]:
    folder = tmp_path_factory.mktemp("tagger")
    return exact_encoder.fit(tagger_fit, folder, CallContext()), folder
