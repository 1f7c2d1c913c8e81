"""Loader `token-classification`: extract."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import torch
from metier_contracts import CallContext, Extract, Extraction, ModelCard, Placement, Request
from metier_contracts.authoring import read_options, unsupported
from transformers import AutoModelForTokenClassification

from metier_mlm.forward import Batch, Network
from metier_mlm.options import TaggerOptions
from metier_mlm.reading import read_text_model
from metier_mlm.spans import Token, entities, inherit
from metier_mlm.text_model import Job, Piece, TextModel
from metier_mlm.tokens import TextTokenizer


class TokenClassifier(TextModel):
    """A token-classification checkpoint whose tags follow BIO, BILOU or BIOES.

    Texts longer than the context are read in overlapping windows, each token by the window in which it stands further
    from an end. An entity's score is the mean probability of its tags.
    """

    def __init__(self, card: ModelCard, tokenizer: TextTokenizer, network: Network, options: TaggerOptions) -> None:
        super().__init__(card, tokenizer, network)
        names = network.module.config.id2label
        self._tags = [names[index] for index in sorted(names)]
        self._by_word = options.word_tags == "first"

    def _plan(self, request: Request[Any], context: CallContext) -> Job:
        if not isinstance(request, Extract):
            raise unsupported(request, self.card)
        return Job([request.text], partial(self._extract, request))

    def _reduce(self, output: Any, batch: Batch) -> torch.Tensor:
        best = output.logits.float().softmax(dim=-1).max(dim=-1)
        # [B, L, 2]: the best tag's number, exact in float32, and its probability.
        return torch.stack([best.indices.float(), best.values], dim=-1)

    def _extract(self, request: Extract, pieces: Sequence[Sequence[Piece]]) -> Extraction:
        tokens = list(self._tokens(pieces[0]))
        if self._by_word:
            tokens = inherit(request.text, tokens)
        wanted = request.entity_types
        found = entities(request.text, tokens)
        return Extraction(entities=tuple(one for one in found if wanted is None or one.label in wanted))

    def _tokens(self, windows: Sequence[Piece]) -> Iterator[Token]:
        for number, piece in enumerate(windows):
            encoding = piece.encoding
            body = [index for index, special in enumerate(encoding.special_tokens_mask) if not special]
            # Neighbours share `overlap` tokens: the first half of them belongs to the earlier window.
            first = self._tokenizer.overlap // 2 if number > 0 else 0
            last = len(body) - (
                self._tokenizer.overlap - self._tokenizer.overlap // 2 if piece is not windows[-1] else 0
            )
            for index in body[first:last]:
                start, end = encoding.offsets[index]
                tag, score = piece.row[index].tolist()
                if start < end:
                    yield Token(start, end, self._tags[int(tag)], score, encoding.word_ids[index])


def load(card: ModelCard, placement: Placement) -> TokenClassifier:
    """Return the model in `placement.directory`."""
    options = read_options(TaggerOptions, card)
    tokenizer, network = read_text_model(AutoModelForTokenClassification, placement, options, overlap=options.overlap)
    return TokenClassifier(card, tokenizer, network, options)
