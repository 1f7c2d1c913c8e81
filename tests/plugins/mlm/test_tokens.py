from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from metier_contracts import InputError, ModelLoadError
from metier_mlm.tokens import TextTokenizer, context_length, load_tokenizer, load_vocabulary

TEXT = " ".join(f"word{number}" for number in range(40))


@pytest.fixture
def slow(weights: Any) -> Any:
    return load_tokenizer(weights("all-MiniLM-L6-v2"))


def test_ids_are_those_of_transformers(slow: Any) -> None:
    texts = ["Hello there", TEXT, "café 🙂"]
    expected = slow(texts, truncation=True, max_length=16)["input_ids"]
    assert [encoding.ids for encoding in TextTokenizer(slow, 16).encode(texts)] == expected


def test_pairs_are_those_of_transformers(slow: Any) -> None:
    expected = slow([("short", TEXT)], truncation=True, max_length=16)
    encoding = TextTokenizer(slow, 16).encode([("short", TEXT)])[0]
    assert [encoding.ids] == expected["input_ids"]
    assert [encoding.type_ids] == expected["token_type_ids"]


@pytest.mark.parametrize("overlap", [0, 3, 100])
def test_windows_cover_the_text(slow: Any, overlap: int) -> None:
    tokenizer = TextTokenizer(slow, 16, overlap)
    first = tokenizer.encode([TEXT])[0]
    windows = [first, *first.overflowing]
    assert len(windows) > 2
    assert all(len(window) <= 16 for window in windows)
    spans = [
        [span for span, special in zip(w.offsets, w.special_tokens_mask, strict=True) if not special] for w in windows
    ]
    shared = min(overlap, 8)
    for one, other in pairwise(spans):
        assert one[len(one) - shared :] == other[:shared]
    whole = TextTokenizer(slow, 512, 0).encode([TEXT])[0].offsets[1:-1]
    assert spans[0] + [span for window in spans[1:] for span in window[shared:]] == whole


def test_one_bad_text_fails_alone(slow: Any) -> None:
    good, bad, fine = TextTokenizer(slow, 16, 0).encode(["good", "half \ud800", "fine"])
    assert isinstance(bad, InputError)
    assert [good.tokens[1], fine.tokens[1]] == ["good", "fine"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("model_type", "stated", "limits", "expected"),
    [
        ("bert", 10**30, (), 512),
        ("bert", 384, (), 384),
        ("bert", 10**30, (None, 256), 256),
        ("roberta", 10**30, (), 510),
    ],
)
def test_the_smallest_limit_holds(model_type: str, stated: int, limits: tuple[int | None, ...], expected: int) -> None:
    config = SimpleNamespace(max_position_embeddings=512, model_type=model_type, pad_token_id=1)
    assert context_length(SimpleNamespace(model_max_length=stated), config, *limits) == expected


def test_offsets_are_characters(slow: Any) -> None:
    text = "🙂🙂 Ça coûte 5 €"
    encoding = TextTokenizer(slow, 32, 0).encode([text])[0]
    spans = [text[start:end] for start, end in encoding.offsets if start < end]
    assert "".join(spans) == text.replace(" ", "")


@pytest.mark.parametrize("kind", ["roberta", "xlm-roberta", "mpnet", "camembert"])
def test_positions_that_begin_behind_the_padding(kind: str) -> None:
    config = SimpleNamespace(max_position_embeddings=514, model_type=kind, pad_token_id=1)
    assert context_length(SimpleNamespace(model_max_length=10**30), config) == 512


def test_no_limit_at_all() -> None:
    config = SimpleNamespace(model_type="t5")
    with pytest.raises(ModelLoadError, match="how many tokens") as caught:
        context_length(SimpleNamespace(model_max_length=10**30), config, None)
    assert caught.value.hint is not None
    assert "max_length" in caught.value.hint


def test_a_bare_vocabulary(weights: Any, slow: Any) -> None:
    bare = load_vocabulary(weights("all-MiniLM-L6-v2") / "vocab.txt", lower_case=True)
    text = "The parcel arrived, unbelievably: whole."
    assert TextTokenizer(bare, 64).encode([text])[0].ids == TextTokenizer(slow, 64).encode([text])[0].ids
