"""The sentence-encoder loader: embed, rank, and classify by nearness to labels or by a head on few examples."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from metier_contracts import (
    CallContext,
    Classification,
    Classify,
    ClassifyFit,
    Embed,
    Embedding,
    ExtractFit,
    FitRequest,
    InputError,
    MetierError,
    ModelCard,
    Placement,
    Rank,
    Ranking,
    Request,
    UnsupportedError,
)
from numpy.typing import NDArray

from metier_mlm.answering import Answer, CheckpointModel, answered
from metier_mlm.classifying import classification
from metier_mlm.encoder import Encoder, read_encoder
from metier_mlm.logistic import LogisticHead, fit_head, sigmoid, softmax

# all-MiniLM and its kin were trained with cosines times 20 in their softmax.
DEFAULT_SCALE = 20.0
DEFAULT_TEMPLATE = "This text is about {}."
DEFAULT_THRESHOLD = 0.25
HEADS_KEPT = 64

Vectors = NDArray[np.float32]


def load(card: ModelCard, placement: Placement) -> SentenceModel:
    """Return the model of a folder of sentence-transformers, or of a plain encoder of transformers."""
    return SentenceModel(card, read_encoder(card, placement), placement)


class SentenceModel(CheckpointModel):
    """Serves embed, rank and classify with one encoder; all texts of a call are encoded together.

    `options`: `template` puts a label into a sentence for zero-shot classification; `scale` multiplies cosines before
    the softmax; `threshold` is the cosine that scores 0.5 with multi_label.
    """

    def __init__(self, card: ModelCard, encoder: Encoder, placement: Placement) -> None:
        super().__init__(card, encoder.checkpoint)
        self._encoder: Encoder | None = encoder
        self._placement = placement
        self._heads: OrderedDict[tuple[Any, ...], LogisticHead | MetierError] = OrderedDict()
        self._template = str(card.options.get("template", DEFAULT_TEMPLATE))
        self._scale = float(card.options.get("scale", DEFAULT_SCALE))
        self._threshold = float(card.options.get("threshold", DEFAULT_THRESHOLD))

    def infer(self, requests: Sequence[Request[Any]], context: CallContext) -> list[Answer]:
        """Answer each request, in order."""
        if not requests:
            return []
        heads = [self._head(request, context) for request in requests]
        wanted = [self._texts(request) for request in requests]
        distinct = {text: row for row, text in enumerate(dict.fromkeys(text for texts in wanted for text in texts))}
        vectors = self.encode(list(distinct), context)
        return [
            answered(self._answer, request, head, vectors[[distinct[text] for text in texts]])
            for request, head, texts in zip(requests, heads, wanted, strict=True)
        ]

    def encode(self, texts: Sequence[str], context: CallContext) -> Vectors:
        """Return float32 [N, D], rows of norm 1."""
        if self._encoder is None:
            self.checkpoint  # noqa: B018  (raises that the model is closed)
            raise RuntimeError
        return self._encoder.encode(texts, context)

    def _texts(self, request: Request[Any]) -> Sequence[str]:
        """Return the texts whose vectors the answer to a request needs."""
        if isinstance(request, Embed):
            return request.texts or ()
        if isinstance(request, Rank):
            return [request.query, *request.candidates]
        if isinstance(request, Classify):
            labels = [] if request.examples is not None else [self._template.format(c) for c in request.choices or ()]
            return [request.text or "", *labels]
        raise UnsupportedError(f"the sentence encoder does not serve {request.task}", got=type(request).__name__)

    def _answer(self, request: Request[Any], head: LogisticHead | MetierError | None, vectors: Vectors) -> Any:
        if isinstance(head, MetierError):
            raise head
        if isinstance(request, Embed):
            return Embedding(vectors=vectors)
        if isinstance(request, Rank):
            return ranking(vectors[1:] @ vectors[0])
        if head is not None:
            return classification(head.scores(vectors[0]))
        return self._zero_shot(request, vectors)

    def _zero_shot(self, request: Any, vectors: Vectors) -> Classification:
        labels = request.choices
        if labels is None:
            raise InputError(
                "the sentence encoder has no labels of its own",
                expected="labels=... or examples=...",
                got="neither",
                blame="labels",
            )
        cosines = (vectors[1:] @ vectors[0]).astype(np.float64)
        if request.multi_label:
            values = sigmoid(self._scale * (cosines - self._threshold))
        else:
            values = softmax(self._scale * cosines)
        return classification(dict(zip(labels, map(float, values), strict=True)))

    def _head(self, request: Request[Any], context: CallContext) -> LogisticHead | MetierError | None:
        """Return the head for the request's examples, fitted once for as long as it is kept."""
        if not isinstance(request, Classify) or request.examples is None:
            return None
        labels = tuple(request.choices or ())
        key = (request.examples.digest, labels, request.multi_label)
        if key not in self._heads:
            try:
                self._heads[key] = self._fit_head(request.examples, labels, not request.multi_label, context)
            except InputError as error:
                return error
        self._heads.move_to_end(key)
        while len(self._heads) > HEADS_KEPT:
            self._heads.popitem(last=False)
        return self._heads[key]

    def _fit_head(self, examples: Any, labels: Sequence[str], exclusive: bool, context: CallContext) -> LogisticHead:
        given = [example.label for example in examples.examples]
        return fit_head(self.encode(examples.texts, context), given, labels, exclusive=exclusive)

    def fit(self, request: FitRequest, directory: Path, context: CallContext) -> ModelCard:
        """Fit a logistic head, or fine-tune the encoder as a sequence or token classifier, into `directory`."""
        from metier_mlm import fine_tune, head

        if isinstance(request, ClassifyFit) and request.method == "head":
            fitted = self._fit_head(request.examples, request.examples.labels, True, context)
            return head.write(fitted, self.card, self._placement, directory)
        if isinstance(request, ClassifyFit):
            return fine_tune.classifier(request, self.card, self._placement, directory, context)
        if isinstance(request, ExtractFit):
            return fine_tune.extractor(request, self.card, self._placement, directory, context)
        raise UnsupportedError(
            "the sentence encoder cannot be fitted for that",
            expected="ClassifyFit or ExtractFit",
            got=str(type(request)),
        )

    def resident_bytes(self) -> int:
        """Return the bytes of the network and of the heads that are kept."""
        return self._bytes + sum(head.nbytes for head in self._heads.values() if isinstance(head, LogisticHead))

    def close(self) -> None:
        """Let go of the network and the heads."""
        super().close()
        self._encoder = None
        self._heads.clear()


def ranking(scores: NDArray[np.floating[Any]]) -> Ranking:
    """Return the ranking of candidates by scores [N], best first, equals in the order given."""
    order = np.argsort(-scores, kind="stable")
    return Ranking(order=tuple(map(int, order)), scores=tuple(map(float, scores[order])))
