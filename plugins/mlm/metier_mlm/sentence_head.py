"""Loader `sentence-head`: classify with the labels of a fitted logistic head on a sentence encoder."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from metier_contracts import CallContext, Classification, Classify, ModelCard, Placement, Request
from metier_contracts.authoring import read_options, unsupported

from metier_mlm.answers import classification, own_labels, text_of
from metier_mlm.encoder import Encoder, EncoderParts, read_encoder, unit
from metier_mlm.logistic import LogisticHead
from metier_mlm.options import HeadOptions
from metier_mlm.text_model import Job, Piece


class SentenceHead(Encoder):
    """A sentence encoder and the head that was fitted on it. Texts longer than the context are cut off."""

    def __init__(
        self,
        card: ModelCard,
        parts: EncoderParts,
        head: LogisticHead,
        prefix: str | None,
    ) -> None:
        super().__init__(card, parts)
        self._head = head
        self._prefix = self._recipe.prompt() if prefix is None else prefix

    def _plan(self, request: Request[Any], context: CallContext) -> Job:
        if not isinstance(request, Classify):
            raise unsupported(request, self.card)
        text = self._prefix + text_of(request, self.card)
        return Job([text], partial(self._score, own_labels(request, self._head.labels, self.card)))

    def _score(self, labels: Sequence[str], pieces: Sequence[Sequence[Piece]]) -> Classification:
        return classification(self._head.scores(unit(pieces[0][0].row), labels))

    def resident_bytes(self) -> int:
        """Return the bytes of the weights and the head."""
        return super().resident_bytes() + self._head.nbytes


def load(card: ModelCard, placement: Placement) -> SentenceHead:
    """Return the model in `placement.directory`."""
    options = read_options(HeadOptions, card)
    parts = read_encoder(placement, options)
    head = LogisticHead.load(parts.folder, parts.network.module.config.hidden_size)
    return SentenceHead(card, parts, head, options.text_prefix)
