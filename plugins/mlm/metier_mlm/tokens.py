"""The token-classification loader: extract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from metier_contracts import CallContext, Extraction, ModelCard, Placement, Request
from numpy.typing import NDArray

from metier_mlm.answering import Answer, CheckpointModel, answered
from metier_mlm.batching import run_in_batches
from metier_mlm.checkpoint import Checkpoint, read
from metier_mlm.spans import LabelledWord, entities

OVERLAP = 64


def load(card: ModelCard, placement: Placement) -> TokenModel:
    """Return the model of a folder with a checkpoint for token classification."""
    return TokenModel(card, read(card, placement, "AutoModelForTokenClassification"))


class TokenModel(CheckpointModel):
    """Finds entities by the label of each word's first token.

    A text longer than the network's context goes through in windows that overlap by 64 tokens; a word in two of them is
    taken from the one where it stands farther from the edge.
    """

    def __init__(self, card: ModelCard, checkpoint: Checkpoint) -> None:
        super().__init__(card, checkpoint)
        names = checkpoint.network.config.id2label
        self.labels = tuple(str(names[index]) for index in range(len(names)))

    def infer(self, requests: Sequence[Request[Any]], context: CallContext) -> list[Answer]:
        """Answer each request, in order."""
        if not requests:
            return []
        checkpoint = self.checkpoint
        encoded = windows(checkpoint, [getattr(request, "text", "") for request in requests])
        padding = checkpoint.tokenizer.pad_token_id
        rows = run_in_batches(encoded, padding, checkpoint.device, self._forward, context)
        of_text: list[list[int]] = [[] for _ in requests]
        for window, text in enumerate(encoded["overflow_to_sample_mapping"]):
            of_text[text].append(window)
        return [
            answered(self._answer, request, encoded, own, [rows[window] for window in own])
            for request, own in zip(requests, of_text, strict=True)
        ]

    def _forward(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        logits: torch.Tensor = self.checkpoint.network(**inputs).logits
        return torch.softmax(logits.float(), dim=-1)

    def _answer(
        self, request: Any, encoded: Any, own: Sequence[int], rows: Sequence[NDArray[np.float32]]
    ) -> Extraction:
        words: dict[int, tuple[int, LabelledWord]] = {}
        for window, probabilities in zip(own, rows, strict=True):
            for number, margin, word in self._words(encoded, window, probabilities):
                if number not in words or words[number][0] < margin:
                    words[number] = (margin, word)
        found = entities(request.text, [word for _, (_, word) in sorted(words.items())])
        wanted = request.entity_types
        return Extraction(entities=tuple(one for one in found if wanted is None or one.label in wanted))

    def _words(
        self, encoded: Any, window: int, probabilities: NDArray[np.float32]
    ) -> list[tuple[int, int, LabelledWord]]:
        """Return (start in the text, distance to the window's edge, labelled word) of each word in a window."""
        offsets, length = encoded["offset_mapping"][window], len(encoded["input_ids"][window])
        result = []
        for first, last in word_tokens(encoded.word_ids(window)):
            best = int(probabilities[first].argmax())
            start, end = offsets[first][0], offsets[last][1]
            word = LabelledWord(start, end, self.labels[best], float(probabilities[first][best]))
            result.append((start, min(first, length - 1 - last), word))
        return result


def windows(checkpoint: Checkpoint, texts: Sequence[str]) -> Any:
    """Return tokenized texts with offsets; one that is too long has several rows."""
    return checkpoint.tokenizer(
        list(texts),
        truncation=True,
        max_length=checkpoint.max_length,
        stride=min(OVERLAP, checkpoint.max_length // 4),
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        return_attention_mask=False,
    )


def word_tokens(word_ids: Sequence[int | None]) -> list[tuple[int, int]]:
    """Return the positions of the first and the last token of each word, in order."""
    spans: dict[int, tuple[int, int]] = {}
    for position, word in enumerate(word_ids):
        if word is not None:
            spans[word] = (spans[word][0] if word in spans else position, position)
    return list(spans.values())
