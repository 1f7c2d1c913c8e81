"""The masked-lm loader: fill-mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from metier_contracts import CallContext, InputError, ModelCard, Placement, RankedToken, Request, TokenRanking
from numpy.typing import NDArray

from metier_mlm.answering import Answer, CheckpointModel, answered
from metier_mlm.batching import run_in_batches
from metier_mlm.checkpoint import Checkpoint, read
from metier_mlm.logistic import softmax

MASK = "[MASK]"


def load(card: ModelCard, placement: Placement) -> MaskedModel:
    """Return the model of a folder with a checkpoint for masked language modelling."""
    return MaskedModel(card, read(card, placement, "AutoModelForMaskedLM"))


class MaskedModel(CheckpointModel):
    """Ranks the tokens at the mask; the special ones (padding, separators) are left out, and keep their probability.

    `options.split_characters`: each character is a word of its own, as in models of protein sequences.
    """

    def __init__(self, card: ModelCard, checkpoint: Checkpoint) -> None:
        super().__init__(card, checkpoint)
        self._split = bool(card.options.get("split_characters", False))
        tokenizer = checkpoint.tokenizer
        special = set(tokenizer.all_special_ids)
        self._ids = np.array([i for i in range(len(tokenizer)) if i not in special and i < _outputs(checkpoint)])

    def infer(self, requests: Sequence[Request[Any]], context: CallContext) -> list[Answer]:
        """Answer each request, in order."""
        if not requests:
            return []
        checkpoint = self.checkpoint
        encoded = checkpoint.tokenizer([self._prepared(_text(request)) for request in requests])
        answers: list[Answer | None] = [_too_long(row, checkpoint) for row in encoded["input_ids"]]
        fitting = [position for position, answer in enumerate(answers) if answer is None]
        chosen = {"input_ids": [encoded["input_ids"][position] for position in fitting]}
        padding = checkpoint.tokenizer.pad_token_id
        rows = run_in_batches(chosen, padding, checkpoint.device, self._forward, context)
        for position, row in zip(fitting, rows, strict=True):
            answers[position] = answered(self._answer, requests[position], row)
        return [answer for answer in answers if answer is not None]

    def _prepared(self, text: str) -> str:
        token = self.checkpoint.tokenizer.mask_token
        if not self._split:
            return text.replace(MASK, token)
        before, _, after = text.partition(MASK)
        return " ".join([*before.replace(" ", ""), token, *after.replace(" ", "")])

    def _forward(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        """Return the logits at each row's mask, float [B, V]."""
        checkpoint = self.checkpoint
        logits: torch.Tensor = checkpoint.network(**inputs).logits
        at_mask = inputs["input_ids"] == checkpoint.tokenizer.mask_token_id
        return logits[at_mask]

    def _answer(self, request: Any, logits: NDArray[np.float32]) -> TokenRanking:
        probabilities = softmax(logits.astype(np.float64))[self._ids]
        best = np.argsort(-probabilities, kind="stable")[: request.top_k]
        names = self.checkpoint.tokenizer.convert_ids_to_tokens(self._ids[best].tolist())
        tokens = [
            RankedToken(token=name, score=float(min(score, 1.0)))
            for name, score in zip(names, probabilities[best], strict=True)
        ]
        return TokenRanking(tokens=tuple(tokens))


def _text(request: Any) -> str:
    return str(request.text)


def _outputs(checkpoint: Checkpoint) -> int:
    return int(checkpoint.network.config.vocab_size)


def _too_long(row: Sequence[int], checkpoint: Checkpoint) -> InputError | None:
    if len(row) <= checkpoint.max_length:
        return None
    return InputError(
        "the text is longer than the model reads",
        expected=f"at most {checkpoint.max_length} tokens",
        got=f"{len(row)} tokens",
        blame="text",
        hint="cut the text around the mask",
    )
