"""Loader `sentence-encoder`: embed, rank, classify without training, and the base of fits."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from metier_contracts import (
    CallContext,
    Classify,
    ClassifyFit,
    Embed,
    Embedding,
    ExtractFit,
    FitRequest,
    InputError,
    ModelCard,
    Placement,
    Rank,
    Ranking,
    Request,
    UnsupportedError,
)
from metier_contracts.authoring import read_options, unsupported

from metier_mlm.answers import classification, ranking, text_of
from metier_mlm.encoder import Encoder, EncoderParts, Vectors, read_encoder, stack, unit
from metier_mlm.few_shot import FewShot
from metier_mlm.fitting import Base, fine_tune_classifier, fine_tune_tagger, fit_logistic
from metier_mlm.logistic import LogisticHead
from metier_mlm.options import EncoderOptions
from metier_mlm.text_model import Job, Piece
from metier_mlm.zero_shot import ZeroShot


class SentenceEncoder(Encoder):
    """A bi-encoder: a sentence-transformers folder, or a plain encoder that is mean-pooled.

    embed: vectors of length 1 where the folder normalises. rank: by cosine. classify: by the labels' names, or by a
    logistic head on the examples. Texts longer than the context are cut off. In bfloat16 a vector depends on what is
    batched with it by rounding alone: its cosine to that of the text by itself is above 0.9999.
    """

    def __init__(self, card: ModelCard, parts: EncoderParts, options: EncoderOptions) -> None:
        super().__init__(card, parts)
        self._folder = parts.folder
        self._options = options
        self._zero_shot = ZeroShot(options)
        self._few_shot = FewShot(options.head_c, options.cached_heads)
        self._text = _chosen(options.text_prefix, self._recipe.prompt())
        self._query = _chosen(options.query_prefix, self._recipe.prompt("query"))
        self._passage = _chosen(options.passage_prefix, self._recipe.prompt("passage", "document"))

    def _plan(self, request: Request[Any], context: CallContext) -> Job:
        if isinstance(request, Embed) and request.texts is not None:
            return Job([self._text + text for text in request.texts], _embedding)
        if isinstance(request, Rank):
            candidates = [self._passage + text for text in request.candidates]
            return Job([self._query + request.query, *candidates], _ranking)
        if isinstance(request, Classify):
            return self._plan_classify(request, context)
        raise unsupported(request, self.card)

    def _plan_classify(self, request: Classify, context: CallContext) -> Job:
        text, labels = self._text + text_of(request, self.card), request.choices
        if labels is None:
            raise InputError(
                f"{self.card.id} has no labels of its own",
                expected="labels, or examples that carry them",
                got="neither",
                blame="the request",
            )
        embed = partial(self._embed_texts, context=context)
        if request.examples is not None:
            head = self._few_shot.head(request.examples, labels, multi_label=request.multi_label, embed=embed)
            return Job([text], partial(_by_head, head, labels))
        prepared = self._zero_shot.prepare(labels, embed)
        score = partial(self._zero_shot.scores, labels=labels, prepared=prepared, multi_label=request.multi_label)
        return Job([text], lambda pieces: classification(score(unit(pieces[0][0].row))))

    def _embed_texts(self, texts: Sequence[str], context: CallContext) -> Vectors:
        return self._embed([self._text + text for text in texts], context)

    def fit(self, request: FitRequest, directory: Path, context: CallContext) -> ModelCard:
        """Write a classifier (`ClassifyFit`) or a tagger (`ExtractFit`) into `directory` and return its card.

        method="head" writes the encoder's files, head.safetensors and head.json (loader `sentence-head`). Fine-tuning
        writes a checkpoint in transformers' own form (`sequence-classification`, `token-classification`).
        """
        base = Base(self.card, self._options, self._folder, self.device, self._tokenizer.max_length)
        if isinstance(request, ClassifyFit) and request.method == "head":
            vectors = self._embed_texts(request.examples.texts, context)
            return fit_logistic(base, request, vectors, self._text, directory)
        if isinstance(request, ClassifyFit):
            return fine_tune_classifier(base, request, directory, context)
        if isinstance(request, ExtractFit):
            return fine_tune_tagger(base, request, directory, context)
        raise UnsupportedError(
            f"{self.card.id} cannot be fitted by {type(request).__name__}",
            expected="ClassifyFit or ExtractFit",
            got=type(request).__name__,
            blame="the fit request",
        )

    def resident_bytes(self) -> int:
        """Return the bytes of the weights, the heads and the label vectors."""
        return super().resident_bytes() + self._few_shot.resident_bytes() + self._zero_shot.resident_bytes()

    def close(self) -> None:
        """Drop the weights, the heads and the label vectors."""
        super().close()
        self._few_shot.clear()
        self._zero_shot.clear()


def load(card: ModelCard, placement: Placement) -> SentenceEncoder:
    """Return the model in `placement.directory`."""
    options = read_options(EncoderOptions, card)
    return SentenceEncoder(card, read_encoder(placement, options), options)


def _chosen(option: str | None, prompt: str) -> str:
    return prompt if option is None else option


def _embedding(pieces: Sequence[Sequence[Piece]]) -> Embedding:
    return Embedding(vectors=stack(pieces))


def _ranking(pieces: Sequence[Sequence[Piece]]) -> Ranking:
    query, candidates = unit(pieces[0][0].row), unit(stack(pieces[1:]))
    return ranking(candidates @ query)


def _by_head(head: LogisticHead | None, labels: Sequence[str], pieces: Sequence[Sequence[Piece]]) -> Any:
    scores = {labels[0]: 1.0} if head is None else head.scores(unit(pieces[0][0].row), labels)
    return classification(scores)
