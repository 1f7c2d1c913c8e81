from __future__ import annotations

from typing import Any

import pytest
from metier_contracts import AnnotatedText, Entity, InputError
from metier_mlm.tagging import labels_of, samples_of, tags_of
from metier_mlm.tokens import TextTokenizer, load_tokenizer
from metier_mlm.training import IGNORED

TEXT = "Write to Helen Marsh in Zürich 🙂."


def entity(text: str, within: str, label: str) -> Entity:
    start = within.index(text)
    return Entity(text=text, label=label, start=start, end=start + len(text))


EXAMPLE = AnnotatedText(text=TEXT, entities=(entity("Zürich", TEXT, "PLACE"), entity("Helen Marsh", TEXT, "NAME")))


@pytest.fixture
def tokenizer(weights: Any) -> TextTokenizer:
    return TextTokenizer(load_tokenizer(weights("all-MiniLM-L6-v2")), 64, overlap=0)


def test_tags_follow_the_labels() -> None:
    assert labels_of([EXAMPLE]) == ("NAME", "PLACE")
    assert tags_of(["NAME", "PLACE"]) == ["O", "B-NAME", "I-NAME", "B-PLACE", "I-PLACE"]


def test_tokens_are_tagged(tokenizer: TextTokenizer) -> None:
    tags = tags_of(labels_of([EXAMPLE]))
    sample = samples_of([EXAMPLE], tags, tokenizer)[0]
    tokens = tokenizer.encode([TEXT])[0].tokens  # type: ignore[union-attr]
    assert sample.target[0] == sample.target[-1] == IGNORED  # type: ignore[index]
    marked = {token: tags[target] for token, target in zip(tokens, sample.target, strict=True) if target > 0}  # type: ignore[arg-type]
    assert marked == {"helen": "B-NAME", "marsh": "I-NAME", "zurich": "B-PLACE"}


def test_a_long_text_is_several_samples(tokenizer: TextTokenizer) -> None:
    text = "Nothing here. " * 40 + "Helen Marsh"
    example = AnnotatedText(text=text, entities=(entity("Helen Marsh", text, "NAME"),))
    samples = samples_of([example], tags_of(["NAME"]), tokenizer)
    assert len(samples) > 1
    assert all(len(sample.ids) <= 64 for sample in samples)
    assert [1 in sample.target for sample in samples] == [False] * (len(samples) - 1) + [True]  # type: ignore[operator]


def test_overlapping_entities_are_refused(tokenizer: TextTokenizer) -> None:
    example = AnnotatedText(text=TEXT, entities=(entity("Helen Marsh", TEXT, "NAME"), entity("Marsh", TEXT, "PLACE")))
    with pytest.raises(InputError, match=r"examples\.1"):
        samples_of([EXAMPLE, example], tags_of(["NAME", "PLACE"]), tokenizer)
