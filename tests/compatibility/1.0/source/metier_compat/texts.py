"""Classify, embed, extract and generate by the letters of a text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from metier_contracts import (
    CallContext,
    Classification,
    Classify,
    Embed,
    Embedding,
    Entity,
    Extract,
    Extraction,
    Generate,
    Generation,
    GenerationChunk,
    MetierError,
    ModelCard,
    Placement,
    Request,
    Response,
)
from metier_contracts.authoring import LoaderOptions, attempt, read_options, unsupported

PATTERNS = {"NUMBER": r"\d+", "WORD": r"[A-Za-z]+"}


class Options(LoaderOptions):
    dimensions: int


class Texts:
    device = "cpu"
    dtype = None

    def __init__(self, card: ModelCard, dimensions: int) -> None:
        self._card = card
        self._dimensions = dimensions

    def infer(self, requests: Sequence[Request[Any]], context: CallContext) -> Sequence[Response | MetierError]:
        return [attempt(partial(self._answer, request, context)) for request in requests]

    def _answer(self, request: Request[Any], context: CallContext) -> Response:
        context.check()
        if isinstance(request, Classify) and request.text is not None and request.choices is not None:
            return self._classify(request)
        if isinstance(request, Embed) and request.texts is not None:
            return Embedding(vectors=np.stack([self._vector(text) for text in request.texts]))
        if isinstance(request, Extract):
            return Extraction(entities=tuple(sorted(found(request), key=lambda one: one.start)))
        if isinstance(request, Generate):
            words = self._words(request)
            return Generation(
                text=" ".join(words), finish_reason="stop", input_tokens=len(words), output_tokens=len(words)
            )
        raise unsupported(request, self._card)

    def _classify(self, request: Classify) -> Response:
        own = self._vector(request.text or "")
        examples = request.examples.examples if request.examples is not None else ()
        texts = {label: [label, *(one.text for one in examples if one.label == label)] for label in request.choices}
        near = np.array([max(float(own @ self._vector(text)) for text in known) for known in texts.values()])
        scores = near.clip(0, 1) if request.multi_label else np.exp(near) / np.exp(near).sum()
        by_label = dict(zip(texts, scores.tolist(), strict=True))
        return Classification(label=max(by_label, key=by_label.__getitem__), scores=by_label)

    def _vector(self, text: str) -> np.ndarray:
        letters = [ord(letter) % self._dimensions for letter in text.lower()]
        counts = np.bincount(letters, minlength=self._dimensions).astype(np.float32)
        return counts / np.linalg.norm(counts)

    def _words(self, request: Generate) -> list[str]:
        return request.messages[-1].text.upper().split()[: request.sampling.max_tokens]

    def stream(self, request: Request[Any], context: CallContext) -> Iterator[Response]:
        if not isinstance(request, Generate):
            raise unsupported(request, self._card)
        words = self._words(request)
        for position, word in enumerate(words):
            context.check()
            yield GenerationChunk(text=word if position == 0 else f" {word}")
        yield GenerationChunk(text="", finish_reason="stop", input_tokens=len(words), output_tokens=len(words))

    def resident_bytes(self) -> int:
        return 0

    def close(self) -> None:
        pass


def found(request: Extract) -> Iterator[Entity]:
    for label in request.entity_types or PATTERNS:
        for match in re.finditer(PATTERNS[label], request.text):
            yield Entity(text=match[0], label=label, start=match.start(), end=match.end(), score=1.0)


def load(card: ModelCard, placement: Placement) -> Texts:
    return Texts(card, read_options(Options, card).dimensions)
