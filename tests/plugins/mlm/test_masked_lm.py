from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from metier_contracts import CallContext, Embed, FillMask, InputError, ModelCard, UnsupportedError

# The heavy variable domain of trastuzumab (DrugBank DB00072).
TRASTUZUMAB = (
    "EVQLVESGGGLVQPGGSLRLSCAASGFNIKDTYIHWVRQAPGKGLEWVARIYPTNGYTRYADSVKGRFTISADTSKNTAYLQ"
    "MNSLRAEDTAVYYCSRWGGDGFYAMDYWGQGTLVTVSS"
)
POSITIONS = range(3, 120, 6)


def masked(position: int, sequence: str = TRASTUZUMAB) -> FillMask:
    return FillMask(text=f"{sequence[:position]}[MASK]{sequence[position + 1 :]}")


def test_masked_residues_are_found(antiberty: Any, context: CallContext) -> None:
    answers = antiberty.infer([masked(position) for position in POSITIONS], context)
    right = [answer.tokens[0].token == TRASTUZUMAB[p] for p, answer in zip(POSITIONS, answers, strict=True)]
    assert len(right) == 20
    assert np.mean(right) >= 0.75


def test_scores_are_probabilities_of_residues(antiberty: Any, context: CallContext) -> None:
    answer = antiberty.infer([FillMask(text="EVQL[MASK]ESGG", top_k=1_000)], context)[0]
    assert sorted(token.token for token in answer.tokens) == sorted("ACDEFGHIKLMNPQRSTVWY")
    assert sum(token.score for token in answer.tokens) == pytest.approx(1.0, abs=1e-2)
    scores = [token.score for token in answer.tokens]
    assert scores == sorted(scores, reverse=True)


def test_spaces_between_residues_do_not_matter(antiberty: Any, context: CallContext) -> None:
    close, spaced = antiberty.infer([FillMask(text="EVQL[MASK]ESGG"), FillMask(text="E V QL [MASK] E S G G")], context)
    assert close == spaced


def test_a_batch_answers_as_singles_do(antiberty: Any, context: CallContext) -> None:
    requests = [masked(5, TRASTUZUMAB[:length]) for length in (20, 60, 120)]
    for batched, request in zip(antiberty.infer(requests, context), requests, strict=True):
        single = antiberty.infer([request], context)[0]
        assert batched.tokens[0].token == single.tokens[0].token
        assert batched.tokens[0].score == pytest.approx(single.tokens[0].score, abs=2e-2)


def test_the_mask_is_found_in_a_sequence_longer_than_the_context(antiberty: Any, context: CallContext) -> None:
    long = TRASTUZUMAB * 8
    positions = [10, len(long) // 2 + 5, len(long) - 10]
    for answer in antiberty.infer([masked(position, long) for position in positions], context):
        assert len(answer.tokens) == 5


def test_other_requests_fail_alone(antiberty: Any, context: CallContext) -> None:
    odd, good = antiberty.infer([Embed(texts=["x"]), masked(10)], context)
    assert isinstance(odd, UnsupportedError)
    assert good.tokens


@pytest.fixture(scope="module")
def roberta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A RoBERTa checkpoint with random weights and a byte-level tokenizer whose mask is `<mask>`."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import RobertaConfig, RobertaForMaskedLM, RobertaTokenizerFast

    folder = tmp_path_factory.mktemp("roberta")
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(["the quick brown fox jumps over the lazy dog"] * 9, 400, 1, special_tokens=special)
    trained.save_model(str(folder))
    tokenizer = RobertaTokenizerFast.from_pretrained(str(folder), local_files_only=True)
    tokenizer.save_pretrained(str(folder))
    torch.manual_seed(0)
    config = RobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=34,
        pad_token_id=tokenizer.pad_token_id,
    )
    RobertaForMaskedLM(config).save_pretrained(folder)
    return folder


def test_the_mask_is_translated(
    roberta: Path, load: Any, card_for: Callable[..., ModelCard], context: CallContext
) -> None:
    from transformers import pipeline

    model = load(card_for("masked-lm", "fill-mask"), roberta, dtype="float32")
    answer, twice, long = model.infer(
        [
            FillMask(text="the quick [MASK] fox", top_k=3),
            FillMask(text="the <mask> [MASK] fox"),
            FillMask(text="the quick brown fox " * 20 + "[MASK]"),
        ],
        context,
    )
    theirs = pipeline("fill-mask", model=str(roberta), top_k=20, device="cpu")("the quick <mask> fox")
    special = {"<s>", "<pad>", "</s>", "<unk>", "<mask>"}
    expected = [one["score"] for one in theirs if one["token_str"].strip() not in special]
    assert [token.score for token in answer.tokens] == pytest.approx(expected[:3], abs=1e-5)
    assert isinstance(twice, InputError)
    assert "<mask>" in str(twice)
    assert long.tokens
    model.close()
