from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from metier_contracts import CallContext, Embed, ModelCard, ModelLoadError, Rank, UnsupportedError

QUERY = "How do I reset my password?"
CANDIDATES = [
    "Bananas are yellow.",
    'Choose "Forgot password" on the sign-in page.',
    "The premium plan costs 20 euros a month. " * 30,
    "ça 🙂",
]


@pytest.fixture(scope="module")
def folder(weights: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-encoder as sentence-transformers saves it: MiniLM with a head of one logit."""
    from sentence_transformers import CrossEncoder

    torch.manual_seed(0)
    source, target = weights("all-MiniLM-L6-v2"), tmp_path_factory.mktemp("cross")
    built = CrossEncoder(str(source), num_labels=1, max_length=128, device="cpu", local_files_only=True)
    # A fresh head scores all texts alike; a larger one tells them apart.
    built.model.classifier.weight.data.mul_(20)
    built.save_pretrained(str(target))
    return target


@pytest.fixture(scope="module")
def reference(folder: Path) -> Any:
    from sentence_transformers import CrossEncoder

    return CrossEncoder(str(folder), device="cpu", local_files_only=True)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("bfloat16", 5e-2)])
def test_scores_are_the_logits_of_sentence_transformers(
    folder: Path, reference: Any, load: Any, card_for: Callable[..., ModelCard], dtype: str, tolerance: float
) -> None:
    logits = reference.predict([(QUERY, text) for text in CANDIDATES], activation_fn=torch.nn.Identity())
    model = load(card_for("cross-encoder", "rank"), folder, dtype=dtype)
    answer = model.infer([Rank(query=QUERY, candidates=CANDIDATES)], CallContext())[0]
    assert answer.scores == pytest.approx(logits[list(answer.order)], abs=tolerance)
    model.close()


def test_query_and_candidate_are_told_apart(folder: Path, load: Any, card_for: Callable[..., ModelCard]) -> None:
    model = load(card_for("cross-encoder", "rank"), folder, dtype="float32")
    one, other, odd = model.infer(
        [Rank(query="a b", candidates=["c"]), Rank(query="a", candidates=["b c"]), Embed(texts=["x"])], CallContext()
    )
    assert one.scores != other.scores
    assert isinstance(odd, UnsupportedError)
    model.close()


def test_a_classifier_is_no_cross_encoder(
    fitted_classifier: Any, load: Any, card_for: Callable[..., ModelCard]
) -> None:
    with pytest.raises(ModelLoadError, match="sequence-classification"):
        load(card_for("cross-encoder", "rank"), fitted_classifier[1])


def test_pairs_of_a_model_without_token_types(
    build: Callable[..., Path], roberta_tokenizer: Any, load: Any, card_for: Callable[..., ModelCard]
) -> None:
    from sentence_transformers import CrossEncoder
    from transformers import RobertaConfig

    folder = build(
        "AutoModelForSequenceClassification",
        tokenizer=roberta_tokenizer,
        kind=RobertaConfig,
        num_labels=1,
        max_position_embeddings=66,
        type_vocab_size=1,
        pad_token_id=1,
    )
    model = load(card_for("cross-encoder", "rank"), folder, dtype="float32")
    answer = model.infer([Rank(query=QUERY, candidates=CANDIDATES)], CallContext())[0]
    theirs = CrossEncoder(str(folder), device="cpu", max_length=64, local_files_only=True)
    logits = theirs.predict([(QUERY, text) for text in CANDIDATES], activation_fn=torch.nn.Identity())
    assert answer.scores == pytest.approx(logits[list(answer.order)], abs=1e-4)
    model.close()
