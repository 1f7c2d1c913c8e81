"""The cross-encoder loader: rank by a network that reads query and candidate together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from metier_contracts import CallContext, ModelCard, ModelLoadError, Placement, Request

from metier_mlm.answering import Answer, CheckpointModel, answered
from metier_mlm.batching import run_in_batches
from metier_mlm.checkpoint import read
from metier_mlm.sentence import ranking


def load(card: ModelCard, placement: Placement) -> CrossEncoderModel:
    """Return the model of a folder with a checkpoint for sequence classification that has one output."""
    checkpoint = read(card, placement, "AutoModelForSequenceClassification")
    if checkpoint.network.config.num_labels != 1:
        raise ModelLoadError(
            f"{card.id!r} is no cross-encoder for ranking",
            expected="a checkpoint with one output",
            got=f"{checkpoint.network.config.num_labels} outputs",
            blame=f"options.loader of the card {card.id!r}",
            hint='use options.loader = "sequence-classification" to classify',
        )
    return CrossEncoderModel(card, checkpoint)


class CrossEncoderModel(CheckpointModel):
    """Ranks by the network's logit for each pair of query and candidate; the scale is the checkpoint's own."""

    def infer(self, requests: Sequence[Request[Any]], context: CallContext) -> list[Answer]:
        """Answer each request, in order; all pairs of a call go through in the same batches."""
        if not requests:
            return []
        checkpoint = self.checkpoint
        pairs: list[tuple[str, str]] = [(r.query, candidate) for r in _ranks(requests) for candidate in r.candidates]
        encoded = checkpoint.tokenizer(
            [query for query, _ in pairs],
            [candidate for _, candidate in pairs],
            truncation=True,
            max_length=checkpoint.max_length,
            return_attention_mask=False,
        )
        padding = checkpoint.tokenizer.pad_token_id
        scores = np.concatenate(run_in_batches(encoded, padding, checkpoint.device, self._forward, context))
        ends = np.cumsum([len(request.candidates) for request in _ranks(requests)])
        return [answered(ranking, part) for part in np.split(scores, ends[:-1])]

    def _forward(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        logits: torch.Tensor = self.checkpoint.network(**inputs).logits
        return logits


def _ranks(requests: Sequence[Request[Any]]) -> Sequence[Any]:
    return requests
