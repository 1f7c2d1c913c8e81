from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from metier_contracts import (
    CallContext,
    Classify,
    Embed,
    ExampleSet,
    FillMask,
    Image,
    InputError,
    Rank,
    UnsupportedError,
)

TEXTS = [
    "I was charged twice for the same invoice.",
    "My phone has had no signal since noon, and restarting it did not help at all.",
    "Danke!",
    "café — naïve résumé 🙂👩‍💻 e\u0301",
    "Thank you for the quick help yesterday; the technician was friendly and knew what he was doing. " * 6,
    "  two  spaces\tand a tab\n",
]
LONG = "The parcel arrived a day late, but whole. " * 60
# bfloat16 has 8 bits of mantissa. Entries of a unit vector of 384 are about 0.05; this is what rounding makes of them.
BATCH_TOLERANCE = 5e-3


@pytest.fixture(scope="module")
def reference(weights: Any) -> Any:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(weights("all-MiniLM-L6-v2")), device="cpu", local_files_only=True)


def vectors(model: Any, texts: Sequence[str]) -> np.ndarray:
    return model.infer([Embed(texts=texts)], CallContext())[0].vectors


@pytest.mark.parametrize(("name", "cosine"), [("encoder", 0.999), ("exact_encoder", 0.999_999)])
def test_vectors_are_those_of_sentence_transformers(
    name: str, cosine: float, reference: Any, request: pytest.FixtureRequest
) -> None:
    texts = [*TEXTS, LONG]
    ours = vectors(request.getfixturevalue(name), texts)
    theirs = reference.encode(texts)
    assert ours.dtype == np.float32
    assert np.linalg.norm(ours, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert (ours * theirs).sum(axis=1).min() >= cosine


def test_a_long_text_is_cut_off_at_the_context(exact_encoder: Any) -> None:
    whole, longer = vectors(exact_encoder, [LONG]), vectors(exact_encoder, [LONG + "And more."])
    assert np.allclose(whole, longer, atol=1e-6)


def test_a_batch_answers_as_singles_do(encoder: Any, opinions: Sequence[tuple[str, str]]) -> None:
    texts = [text for text, _ in opinions[:60]] + TEXTS
    batched = vectors(encoder, texts)
    singles = np.concatenate([vectors(encoder, [text]) for text in texts])
    assert np.abs(batched - singles).max() <= BATCH_TOLERANCE
    assert (batched * singles).sum(axis=1).min() >= 0.9999


def test_requests_keep_their_order_and_their_texts(encoder: Any, context: CallContext) -> None:
    requests = [Embed(texts=TEXTS[:2]), Rank(query=TEXTS[0], candidates=TEXTS), Embed(texts=TEXTS[1::-1])]
    first, ranking, second = encoder.infer(requests, context)
    assert np.array_equal(first.vectors, second.vectors[::-1])
    assert ranking.best == 0


def test_no_requests_no_answers(encoder: Any, context: CallContext) -> None:
    assert encoder.infer([], context) == []


def test_rank_finds_the_answer(encoder: Any, context: CallContext) -> None:
    candidates = [
        "Under Team > Members, click Invite and enter the person's email address.",
        'Choose "Forgot password" on the sign-in page and enter your email address.',
        "The premium plan costs 20 euros a month.",
    ]
    questions = {"I cannot remember my password": 1, "How do I add a colleague?": 0, "What does it cost?": 2}
    for question, expected in questions.items():
        ranking = encoder.infer([Rank(query=question, candidates=candidates)], context)[0]
        assert ranking.best == expected
        assert sorted(ranking.order) == [0, 1, 2]
        assert list(ranking.scores) == sorted(ranking.scores, reverse=True)


def test_rank_scores_are_cosines(exact_encoder: Any, reference: Any, context: CallContext) -> None:
    ranking = exact_encoder.infer([Rank(query=TEXTS[0], candidates=TEXTS)], context)[0]
    cosines = reference.similarity(reference.encode([TEXTS[0]]), reference.encode(TEXTS))[0].numpy()
    assert ranking.scores == pytest.approx(cosines[list(ranking.order)], abs=1e-5)


def test_equal_candidates_keep_their_order(encoder: Any, context: CallContext) -> None:
    assert encoder.infer([Rank(query="a", candidates=["same", "same", "same"])], context)[0].order == (0, 1, 2)


def test_prefixes_are_put_before_the_texts(load: Any, weights: Any, cards: Any, exact_encoder: Any) -> None:
    card = cards["all-MiniLM-L6-v2"]
    options = {**card.options, "query_prefix": "query: ", "passage_prefix": "passage: ", "text_prefix": "text: "}
    prefixed = load(card.model_copy(update={"options": options}), weights(card.id), dtype="float32")
    assert np.array_equal(vectors(prefixed, ["one"]), vectors(exact_encoder, ["text: one"]))
    ours = prefixed.infer([Rank(query="one", candidates=["two", "three"])], CallContext())
    theirs = exact_encoder.infer(
        [Rank(query="query: one", candidates=["passage: two", "passage: three"])], CallContext()
    )
    assert ours == theirs
    prefixed.close()


def test_what_it_cannot_do_fails_alone(encoder: Any, context: CallContext) -> None:
    picture = Image.of(np.zeros((4, 4, 3), np.uint8))
    requests = [
        Embed(texts=["good"]),
        Embed(images=[picture]),
        Classify(image=picture, labels=["a", "b"]),
        FillMask(text="[MASK]"),
        Classify(text="no labels"),
        Embed(texts=["good"]),
    ]
    answers = encoder.infer(requests, context)
    assert np.array_equal(answers[0].vectors, answers[-1].vectors)
    assert [type(answer) for answer in answers[1:4]] == [UnsupportedError] * 3
    assert isinstance(answers[4], InputError)
    assert "labels" in str(answers[4])


def test_resident_bytes_count_what_is_kept(load: Any, context: CallContext) -> None:
    model = load("all-MiniLM-L6-v2")
    before = model.resident_bytes()
    model.infer([Classify(text="x", labels=["a", "b", "c"])], context)
    labels = model.resident_bytes()
    assert labels == before + 3 * 384 * 4
    examples = ExampleSet.from_pairs([("good", "a"), ("bad", "b"), ("ugly", "c")])
    model.infer([Classify(text="x", examples=examples)], context)
    assert model.resident_bytes() == labels + 3 * (384 + 1) * 4
    model.close()


def test_the_folder_is_enough(exact_encoder: Any, weights: Any, tmp_path: Path, load: Any, cards: Any) -> None:
    """A plain transformers encoder is mean-pooled, and its vectors are not normalised."""
    import shutil

    for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(weights("all-MiniLM-L6-v2") / name, tmp_path)
    plain = load(cards["all-MiniLM-L6-v2"], tmp_path, dtype="float32")
    raw = vectors(plain, TEXTS[:3])
    lengths = np.linalg.norm(raw, axis=1, keepdims=True)
    assert (np.abs(lengths - 1) > 1e-2).all()
    assert np.allclose(raw / lengths, vectors(exact_encoder, TEXTS[:3]), atol=1e-5)
    plain.close()
