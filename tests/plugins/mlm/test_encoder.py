"""Vectors, against sentence-transformers used directly in float32."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from metier_contracts import CallContext, Embed, ModelCard, ModelLoadError
from metier_mlm.encoder import unit

# all-MiniLM-L6-v2 reads 256 tokens.
LONGER_THAN_THE_CONTEXT = "The parcel arrived a day late, and nobody told me why; I should like my money back. " * 30
ODD = [
    "Yes.",
    "🙂",
    "👩‍🔬👩‍🔬 ok",
    "Ça coûte 5 €, n'est-ce pas?",
    "a\u0308 o\u0308",
    "…",
    "東京タワー",
    LONGER_THAN_THE_CONTEXT,
]


@pytest.fixture(scope="module")
def texts(opinions: Sequence[tuple[str, str]]) -> Sequence[str]:
    return [text for text, _ in opinions[:40]] + ODD


def vectors(model: Any, texts: Sequence[str]) -> np.ndarray:
    return model.infer([Embed(texts=texts)], CallContext())[0].vectors


def sentence_transformers_vectors(folder: Path, texts: Sequence[str]) -> np.ndarray:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu", local_files_only=True).encode(list(texts))


def test_real_texts_in_the_default_dtype(encoder: Any, reference: Any, texts: Sequence[str]) -> None:
    ours = vectors(encoder, texts)
    assert np.linalg.norm(ours, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert (ours * reference.encode(texts)).sum(axis=1).min() >= 0.999


def test_real_texts_in_float32(exact_encoder: Any, reference: Any, texts: Sequence[str]) -> None:
    assert np.allclose(vectors(exact_encoder, texts), reference.encode(texts), atol=1e-5)


def test_a_batch_is_like_singles_in_float32(exact_encoder: Any, texts: Sequence[str]) -> None:
    singles = np.concatenate([vectors(exact_encoder, [text]) for text in texts])
    assert np.allclose(vectors(exact_encoder, texts), singles, atol=1e-5)


def test_order_of_the_texts_is_kept(exact_encoder: Any, texts: Sequence[str]) -> None:
    forwards, backwards = vectors(exact_encoder, texts), vectors(exact_encoder, texts[::-1])
    assert np.allclose(forwards, backwards[::-1], atol=1e-5)


@pytest.fixture
def folder(weights: Callable[[str], Path], tmp_path: Path) -> Path:
    """A copy of all-MiniLM-L6-v2 whose settings may be changed."""
    return Path(shutil.copytree(weights("all-MiniLM-L6-v2"), tmp_path / "model"))


@pytest.fixture
def card(card_for: Callable[..., ModelCard]) -> ModelCard:
    return card_for("sentence-encoder", "embed")


@pytest.mark.parametrize("mode", ["cls", "max"])
def test_other_poolings(folder: Path, card: ModelCard, load: Any, texts: Sequence[str], mode: str) -> None:
    path = folder / "1_Pooling" / "config.json"
    name = {"cls": "pooling_mode_cls_token", "max": "pooling_mode_max_tokens"}[mode]
    path.write_text(json.dumps(json.loads(path.read_text()) | {"pooling_mode_mean_tokens": False, name: True}))
    model = load(card, folder, dtype="float32")
    assert np.allclose(vectors(model, texts), sentence_transformers_vectors(folder, texts), atol=1e-5)
    model.close()


def test_a_folder_saved_by_this_sentence_transformers(
    reference: Any, card: ModelCard, load: Any, texts: Sequence[str], tmp_path: Path
) -> None:
    reference.save(str(tmp_path))
    model = load(card, tmp_path, dtype="float32")
    assert np.allclose(vectors(model, texts), reference.encode(texts), atol=1e-5)
    model.close()


@pytest.mark.parametrize("family", ["bert", "roberta", "distilbert"])
def test_a_plain_folder(
    family: str, build: Any, roberta_tokenizer: Any, card: ModelCard, load: Any, opinions: Sequence[tuple[str, str]]
) -> None:
    import transformers

    settings: dict[str, Any] = {"max_position_embeddings": 66}
    if family == "roberta":
        settings |= {"kind": transformers.RobertaConfig, "tokenizer": roberta_tokenizer, "pad_token_id": 1}
    elif family == "distilbert":
        sizes = {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64}
        settings |= {"kind": transformers.DistilBertConfig, **sizes}
    plain = build("AutoModel", **settings)
    model = load(card, plain, dtype="float32")
    some = [text for text, _ in opinions[:30]] + ["word " * 200]
    length = 64 if family == "roberta" else 66
    assert model._tokenizer.max_length == length
    from sentence_transformers import SentenceTransformer

    theirs = SentenceTransformer(str(plain), device="cpu", local_files_only=True)
    theirs.max_seq_length = length
    wanted, found = theirs.encode(some), vectors(model, some)
    assert np.allclose(found, wanted, atol=1e-4)
    model.close()


def test_what_the_folder_does_besides_is_refused(folder: Path, card: ModelCard, load: Any) -> None:
    modules = json.loads((folder / "modules.json").read_text())
    dense = {"idx": 3, "name": "3", "path": "3_Dense", "type": "sentence_transformers.models.Dense"}
    (folder / "modules.json").write_text(json.dumps([*modules, dense]))
    with pytest.raises(ModelLoadError, match="Dense"):
        load(card, folder)


def test_a_shorter_context(card_for: Callable[..., ModelCard], load: Any, weights: Any, exact_encoder: Any) -> None:
    short = load(card_for("sentence-encoder", "embed", max_length=8), weights("all-MiniLM-L6-v2"), dtype="float32")
    cut, whole = (
        vectors(short, ["one two three four five six seven eight"]),
        vectors(short, ["one two three four five six"]),
    )
    assert np.allclose(cut, whole, atol=1e-6)
    assert np.allclose(whole, vectors(exact_encoder, ["one two three four five six"]), atol=1e-5)
    short.close()


def test_passes_of_any_size_give_the_same(
    card_for: Callable[..., ModelCard], load: Any, weights: Any, exact_encoder: Any, texts: Sequence[str]
) -> None:
    small = load(card_for("sentence-encoder", "embed", batch_tokens=1), weights("all-MiniLM-L6-v2"), dtype="float32")
    assert np.allclose(vectors(small, texts), vectors(exact_encoder, texts), atol=1e-5)
    small.close()


def test_unit() -> None:
    rows = unit(np.array([[3.0, 4.0], [0.0, 0.0]], np.float32))
    assert rows.tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0.0, 0.0]]
