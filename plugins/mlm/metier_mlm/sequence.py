"""The sequence-classification loader: classify with the labels that a checkpoint was trained for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from metier_contracts import CallContext, Classification, ModelCard, ModelLoadError, Placement, Request

from metier_mlm.answering import Answer, CheckpointModel, answered
from metier_mlm.batching import run_in_batches
from metier_mlm.checkpoint import Checkpoint, read
from metier_mlm.classifying import classify_logits


def load(card: ModelCard, placement: Placement) -> SequenceModel:
    """Return the model of a folder with a checkpoint for sequence classification."""
    model = SequenceModel(card, read(card, placement, "AutoModelForSequenceClassification"))
    stated = card.tasks["classify"].labels if "classify" in card.tasks else None
    if isinstance(stated, tuple) and set(stated) != set(model.labels):
        raise ModelLoadError(
            f"the labels of {card.id!r} are not those of its checkpoint",
            expected=f"the card states {', '.join(stated)}",
            got=f"config.json has {', '.join(model.labels)}",
            blame=f"labels of the card {card.id!r}",
        )
    return model


class SequenceModel(CheckpointModel):
    """Classifies by the checkpoint's own labels, or those among them that the request names."""

    def __init__(self, card: ModelCard, checkpoint: Checkpoint) -> None:
        super().__init__(card, checkpoint)
        names = checkpoint.network.config.id2label
        self.labels = tuple(str(names[index]) for index in range(len(names)))

    def infer(self, requests: Sequence[Request[Any]], context: CallContext) -> list[Answer]:
        """Answer each request, in order. A text longer than the network's context is cut off there."""
        if not requests:
            return []
        checkpoint = self.checkpoint
        texts = [getattr(request, "text", None) or "" for request in requests]
        encoded = checkpoint.tokenizer(
            texts, truncation=True, max_length=checkpoint.max_length, return_attention_mask=False
        )
        rows = run_in_batches(encoded, checkpoint.tokenizer.pad_token_id, checkpoint.device, self._forward, context)
        return [answered(self._answer, request, row) for request, row in zip(requests, rows, strict=True)]

    def _forward(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        logits: torch.Tensor = self.checkpoint.network(**inputs).logits
        return logits

    def _answer(self, request: Any, logits: Any) -> Classification:
        return classify_logits(logits, self.labels, request.choices, request.multi_label)
