"""Tokens, windows and limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from metier_contracts import InputError, ModelLoadError
from metier_mlm.tokens import TextTokenizer, context_length, load_tokenizer, load_vocabulary
from tokenizers import Encoding

UNLIMITED = 10**30


@pytest.fixture
def tokenizer(weights: Callable[[str], Path]) -> Any:
    return load_tokenizer(weights("all-MiniLM-L6-v2"))


def encode(tokenizer: TextTokenizer, text: str) -> Encoding:
    (encoding,) = tokenizer.encode([text])
    assert isinstance(encoding, Encoding)
    return encoding


def test_tokens_are_those_of_transformers(tokenizer: Any, opinions: Sequence[tuple[str, str]]) -> None:
    texts = [text for text, _ in opinions[:50]]
    wanted = tokenizer(texts, truncation=True, max_length=24)["input_ids"]
    assert [one.ids for one in TextTokenizer(tokenizer, 24).encode(texts)] == wanted  # type: ignore[union-attr]


def test_a_long_text_is_cut_off(tokenizer: Any) -> None:
    encoding = encode(TextTokenizer(tokenizer, 16), "word " * 100)
    assert len(encoding) == 16
    assert encoding.ids[-1] == tokenizer.sep_token_id


@pytest.mark.parametrize(("max_length", "overlap"), [(16, 0), (16, 4), (16, 5), (32, 16), (8, 10_000)])
def test_windows_share_what_was_asked(tokenizer: Any, max_length: int, overlap: int) -> None:
    text = " ".join(str(number % 10) for number in range(101))
    reader = TextTokenizer(tokenizer, max_length, overlap)
    assert reader.overlap == min(overlap, max_length // 2)
    first = encode(reader, text)
    bodies = [window.offsets[1:-1] for window in (first, *first.overflowing)]
    assert all(len(body) == max_length - 2 for body in bodies[:-1])
    for before, after in zip(bodies, bodies[1:], strict=False):
        assert before[len(before) - reader.overlap :] == after[: reader.overlap]
    joined = bodies[0] + [span for body in bodies[1:] for span in body[reader.overlap :]]
    assert joined == [(2 * i, 2 * i + 1) for i in range(101)]


def test_offsets_are_characters(tokenizer: Any) -> None:
    text = "🙂🙂 Ça coûte 5 €"
    encoding = encode(TextTokenizer(tokenizer, 32, 0), text)
    spans = [text[start:end] for start, end in encoding.offsets if start < end]
    assert "".join(spans) == text.replace(" ", "")


def test_what_is_no_unicode_fails_alone(tokenizer: Any) -> None:
    good, bad, pair = TextTokenizer(tokenizer, 16).encode(["fine", "half \ud83d", ("a", "b")])
    assert isinstance(good, Encoding)
    assert isinstance(bad, InputError)
    assert isinstance(pair, Encoding)


def test_of_a_pair_the_longer_is_cut_off(tokenizer: Any) -> None:
    (encoding,) = TextTokenizer(tokenizer, 16).encode([("short query", "word " * 50)])
    assert isinstance(encoding, Encoding)
    assert len(encoding) == 16
    assert encoding.type_ids == [0] * 4 + [1] * 12


@pytest.mark.parametrize(
    ("stated", "positions", "limits", "wanted"),
    [
        (512, 512, (), 512),
        (UNLIMITED, 512, (), 512),
        (UNLIMITED, 512, (None, 256), 256),
        (256, 512, (400,), 256),
        (UNLIMITED, None, (1024, None), 1024),
    ],
)
def test_the_smallest_limit_holds(stated: int, positions: int | None, limits: tuple[int | None, ...], wanted: int) -> None:
    tokenizer = SimpleNamespace(model_max_length=stated)
    config = SimpleNamespace(max_position_embeddings=positions, model_type="bert", pad_token_id=0)
    assert context_length(tokenizer, config, *limits) == wanted


@pytest.mark.parametrize("kind", ["roberta", "xlm-roberta", "mpnet", "camembert"])
def test_positions_that_begin_behind_the_padding(kind: str) -> None:
    config = SimpleNamespace(max_position_embeddings=514, model_type=kind, pad_token_id=1)
    assert context_length(SimpleNamespace(model_max_length=UNLIMITED), config) == 512


def test_no_limit_at_all() -> None:
    config = SimpleNamespace(model_type="t5")
    with pytest.raises(ModelLoadError, match="how many tokens") as caught:
        context_length(SimpleNamespace(model_max_length=UNLIMITED), config, None)
    assert caught.value.hint is not None
    assert "max_length" in caught.value.hint


def test_a_folder_without_tokenizer(tmp_path: Path) -> None:
    with pytest.raises((ModelLoadError, OSError, ValueError)):
        load_tokenizer(tmp_path)


def test_a_bare_vocabulary(weights: Callable[[str], Path], tokenizer: Any) -> None:
    bare = load_vocabulary(weights("all-MiniLM-L6-v2") / "vocab.txt", lower_case=True)
    text = "The parcel arrived, unbelievably: whole."
    assert encode(TextTokenizer(bare, 64), text).ids == encode(TextTokenizer(tokenizer, 64), text).ids
