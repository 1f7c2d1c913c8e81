from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from metier_contracts import AnnotatedText, CallContext, Classify, Extract, ModelCard, UnsupportedError

Spans = set[tuple[int, int, str]]


@pytest.fixture(scope="module")
def model(fitted_tagger: tuple[ModelCard, Path], load: Any) -> Any:
    return load(*fitted_tagger)


def spans(answer: Any) -> Spans:
    return {(entity.start, entity.end, entity.label) for entity in answer.entities}


def extract(model: Any, *texts: str, **wanted: Any) -> list[Any]:
    answers = model.infer([Extract(text=text, **wanted) for text in texts], CallContext())
    for text, answer in zip(texts, answers, strict=True):
        assert all(text[entity.start : entity.end] == entity.text for entity in answer.entities)
        assert [entity.start for entity in answer.entities] == sorted(entity.start for entity in answer.entities)
        assert all(0 <= entity.score <= 1 for entity in answer.entities)
    return answers


def test_it_finds_what_it_was_taught(model: Any, annotated: Sequence[AnnotatedText]) -> None:
    found = [spans(answer) for answer in extract(model, *[example.text for example in annotated])]
    expected = [spans(example) for example in annotated]
    hits = sum(len(one & other) for one, other in zip(found, expected, strict=True))
    assert 2 * hits / (sum(map(len, found)) + sum(map(len, expected))) >= 0.5


def test_only_the_types_wanted(model: Any, annotated: Sequence[AnnotatedText]) -> None:
    texts = [example.text for example in annotated]
    every, some = extract(model, *texts), extract(model, *texts, entity_types=["HANDLE"])
    for all_found, found in zip(every, some, strict=True):
        assert found.entities == all_found.of("HANDLE")


def test_spans_are_exact_among_emoji_and_combining_marks(model: Any) -> None:
    text = "Cafe\u0301 👩‍💻🙂 thanks @united 🎉 and @JetBlue\u0301!"
    found = extract(model, text)[0]
    # The tagger has seen no emoji, and may count one to its neighbour; where its tokens stand is exact all the same.
    assert any(entity.text.startswith("@united") for entity in found.entities)
    assert any(entity.text == "@JetBlue\u0301" for entity in found.entities)


def test_a_long_text_is_read_to_its_end(fitted_tagger: tuple[ModelCard, Path], load: Any, annotated: Any) -> None:
    card, folder = fitted_tagger
    short = load(card.model_copy(update={"options": {**card.options, "max_length": 32, "overlap": 12}}), folder)
    whole = load(card, folder)
    text = "Thanks @united for the help. I waited an hour at the gate for the bags. " * 8
    found, expected = extract(short, text)[0], extract(whole, text)[0]
    handles = [entity.start for entity in expected.of("HANDLE")]
    assert len(handles) >= 6
    assert {entity.start for entity in found.of("HANDLE")} >= set(handles[:1])
    assert max(entity.start for entity in found.entities) > len(text) * 0.8
    assert len(spans(found)) == len(found.entities)
    short.close()
    whole.close()


def test_a_batch_answers_as_singles_do(fitted_tagger: tuple[ModelCard, Path], load: Any, annotated: Any) -> None:
    exact = load(*fitted_tagger, dtype="float32")
    texts = [example.text for example in annotated[:20]]
    batched = extract(exact, *texts)
    singles = [extract(exact, text)[0] for text in texts]
    assert [spans(answer) for answer in batched] == [spans(answer) for answer in singles]
    exact.close()


def test_other_requests_fail_alone(model: Any, context: CallContext) -> None:
    odd, good = model.infer([Classify(text="x", labels=["a"]), Extract(text="Hello @united")], context)
    assert isinstance(odd, UnsupportedError)
    assert good.entities is not None
