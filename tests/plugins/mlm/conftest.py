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
def reference(weights: Callable[[str], Path]) -> Any:
    """The same encoder run by sentence-transformers, in float32."""
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(weights("all-MiniLM-L6-v2")), device="cpu")


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
def annotated(held_out: Sequence[Opinion]) -> Sequence[AnnotatedText]:
    return [annotate(text) for text, _ in held_out]


@pytest.fixture(scope="session")
def card_for() -> Callable[..., ModelCard]:
    return make_card


@pytest.fixture(scope="session")
def build(weights: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Save a small checkpoint with random weights of some size, in transformers' own form; return its folder.

    It reads words as all-MiniLM-L6-v2 does, or as RoBERTa where a tokenizer is given.
    """

    def build(auto: str, *, seed: int = 0, tokenizer: Any = None, **settings: Any) -> Path:
        import torch
        import transformers

        tokenizer = tokenizer or transformers.AutoTokenizer.from_pretrained(weights("all-MiniLM-L6-v2"))
        kind = settings.pop("kind", transformers.BertConfig)
        sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
        config = kind(vocab_size=len(tokenizer), initializer_range=0.3, **(sizes | settings))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            module = getattr(transformers, auto).from_config(config)
        folder = tmp_path_factory.mktemp("checkpoint")
        module.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return build


@pytest.fixture(scope="session")
def roberta_tokenizer(opinions: Sequence[Opinion]) -> Any:
    """A byte-level BPE in RoBERTa's form, learned from the opinions."""
    from tokenizers import AddedToken, ByteLevelBPETokenizer
    from tokenizers.processors import RobertaProcessing
    from transformers import PreTrainedTokenizerFast

    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    bpe = ByteLevelBPETokenizer(add_prefix_space=False)
    bpe.train_from_iterator([text for text, _ in opinions], vocab_size=600, special_tokens=special, show_progress=False)
    bpe.post_processor = RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe._tokenizer,
        bos_token="<s>",
        pad_token="<pad>",
        eos_token="</s>",
        sep_token="</s>",
        cls_token="<s>",
        unk_token="<unk>",
        mask_token=AddedToken("<mask>", lstrip=True),
        model_input_names=["input_ids", "attention_mask"],
    )


@pytest.fixture(scope="session")
def opinions() -> Sequence[Opinion]:
    """400 (text, label) pairs, half of them positive and half negative."""
    with (Path(__file__).parent / "data" / "opinions.csv").open(encoding="utf-8", newline="") as file:
        return [(row["text"], row["label"]) for row in csv.DictReader(file)]


def annotate(text: str) -> AnnotatedText:
    """Return the text with its @handles and #hashtags as entities."""
    found = re.finditer(r"(?<!\w)[@#]\w+", text)
    kinds = {"@": "HANDLE", "#": "HASHTAG"}
    return AnnotatedText(
        text=text,
        entities=tuple(Entity(text=one[0], label=kinds[one[0][0]], start=one.start(), end=one.end()) for one in found),
    )


@pytest.fixture(scope="session")
def short_opinions(opinions: Sequence[Opinion]) -> Sequence[Opinion]:
    """The shortest opinions, 64 of each label in turn: what can be trained on in seconds."""
    ordered = sorted(opinions, key=lambda opinion: len(opinion[0]))
    positive, negative = ([one for one in ordered if one[1] == label][:64] for label in ("positive", "negative"))
    return [opinion for pair in zip(positive, negative, strict=True) for opinion in pair]


@pytest.fixture(scope="session")
def held_out(opinions: Sequence[Opinion], short_opinions: Sequence[Opinion]) -> Sequence[Opinion]:
    """60 opinions of each label that no test trains on."""
    seen = set(short_opinions)
    rest = [one for one in opinions if one not in seen]
    positive, negative = ([one for one in rest if one[1] == label][:60] for label in ("positive", "negative"))
    return [*positive, *negative]


@pytest.fixture(scope="session")
def classifier_fit(short_opinions: Sequence[Opinion]) -> ClassifyFit:
    examples = ExampleSet.from_pairs(short_opinions)
    return ClassifyFit(
        id="opinions", examples=examples, method="fine-tune", epochs=2, batch_size=16, learning_rate=3e-4
    )


@pytest.fixture(scope="session")
def tagger_fit(short_opinions: Sequence[Opinion]) -> ExtractFit:
    examples = [annotate(text) for text, _ in short_opinions[:96]]
    return ExtractFit(id="mentions", examples=examples, epochs=2, batch_size=8, learning_rate=5e-4)


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
