"""Loader `masked-lm`: fill-mask."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from metier_contracts import CallContext, FillMask, InputError, ModelCard, Placement, RankedToken, Request, TokenRanking
from metier_contracts.authoring import read_options, unsupported
from metier_contracts.tasks.fill_mask import MASK
from transformers import AutoModelForMaskedLM

from metier_mlm.answers import softmax
from metier_mlm.forward import Batch, Network
from metier_mlm.options import MaskedOptions
from metier_mlm.reading import read_text_model
from metier_mlm.text_model import Job, Piece, TextModel
from metier_mlm.tokens import TextTokenizer, load_vocabulary

# Clamped to half of the context: each token then stands in the middle half of some window, or at an end of the text.
_OVERLAP = 10_000


class MaskedModel(TextModel):
    """A masked language model.

    Special tokens are never ranked: none of them can stand behind a mask. Of a text longer than the context, the window
    is read in which the mask has most tokens around it.
    """

    def __init__(self, card: ModelCard, tokenizer: TextTokenizer, network: Network, options: MaskedOptions) -> None:
        super().__init__(card, tokenizer, network)
        self._options = options
        self._mask = tokenizer.slow.mask_token
        self._mask_id = tokenizer.slow.mask_token_id
        self._special = list(tokenizer.slow.all_special_ids)

    def _plan(self, request: Request[Any], context: CallContext) -> Job:
        if not isinstance(request, FillMask):
            raise unsupported(request, self.card)
        before, after = request.text.split(MASK)
        if self._options.split_characters:
            before, after = (" ".join(part.replace(" ", "")) for part in (before, after))
            return Job([f"{before} {self._mask} {after}"], partial(self._rank, request.top_k))
        return Job([f"{before}{self._mask}{after}"], partial(self._rank, request.top_k))

    def _reduce(self, output: Any, batch: Batch) -> torch.Tensor:
        # One position's logits, since those of a whole text over a vocabulary of 30,000 take 60 MB.
        positions = (batch["input_ids"] == self._mask_id).int().argmax(dim=1)
        logits: torch.Tensor = output.logits[torch.arange(len(positions), device=positions.device), positions]
        return logits

    def _rank(self, top_k: int, pieces: Sequence[Sequence[Piece]]) -> TokenRanking:
        piece, _ = max(self._masks(pieces[0]), key=lambda found: _room(*found))
        probabilities = softmax(piece.row)
        probabilities[self._special] = 0.0
        best = probabilities.argsort()[::-1][: min(top_k, len(probabilities) - len(self._special))].tolist()
        return TokenRanking(tokens=tuple(RankedToken(token=self._token(i), score=probabilities[i]) for i in best))

    def _masks(self, windows: Sequence[Piece]) -> list[tuple[Piece, int]]:
        """Return each window that holds the mask, and the mask's position there."""
        found = []
        for piece in windows:
            positions = [index for index, token in enumerate(piece.encoding.ids) if token == self._mask_id]
            if len(positions) > 1:
                raise InputError(
                    "the text holds the model's own mask token besides the mask",
                    expected=f"one {MASK}",
                    got=f"{len(positions)} masks, written {MASK} or {self._mask}",
                    blame="text of the request",
                )
            found += [(piece, position) for position in positions]
        return found

    def _token(self, index: int) -> str:
        text = str(self._tokenizer.slow.decode([index])).strip()
        return text or str(self._tokenizer.slow.convert_ids_to_tokens(index))


def _room(piece: Piece, position: int) -> int:
    return min(position, len(piece.encoding) - position)


def load(card: ModelCard, placement: Placement) -> MaskedModel:
    """Return the model in `placement.directory`."""
    options = read_options(MaskedOptions, card)
    slow = None
    if options.vocabulary is not None:
        path = (placement.directory or Path()) / options.vocabulary
        slow = load_vocabulary(path, lower_case=options.lower_case)
    tokenizer, network = read_text_model(AutoModelForMaskedLM, placement, options, overlap=_OVERLAP, tokenizer=slow)
    return MaskedModel(card, tokenizer, network, options)
