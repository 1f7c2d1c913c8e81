"""Loader `cross-encoder`: rank by reading query and candidate together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from metier_contracts import CallContext, ModelCard, ModelLoadError, Placement, Rank, Ranking, Request
from metier_contracts.authoring import read_options, unsupported
from transformers import AutoModelForSequenceClassification

from metier_mlm.answers import ranking
from metier_mlm.forward import Batch
from metier_mlm.options import TextOptions
from metier_mlm.reading import read_text_model
from metier_mlm.text_model import Job, Piece, TextModel


class CrossEncoder(TextModel):
    """A sequence-classification checkpoint with one logit, which is the score (before any sigmoid).

    Where query and candidate together are longer than the context, the longer of the two is cut off first.
    """

    def _plan(self, request: Request[Any], context: CallContext) -> Job:
        if not isinstance(request, Rank):
            raise unsupported(request, self.card)
        return Job([(request.query, candidate) for candidate in request.candidates], _ranking)

    def _reduce(self, output: Any, batch: Batch) -> torch.Tensor:
        logits: torch.Tensor = output.logits[:, 0]
        return logits


def load(card: ModelCard, placement: Placement) -> CrossEncoder:
    """Return the model in `placement.directory`."""
    options = read_options(TextOptions, card)
    tokenizer, network = read_text_model(AutoModelForSequenceClassification, placement, options)
    if network.module.config.num_labels != 1:
        raise ModelLoadError(
            f"{card.id} is no cross-encoder",
            expected="a checkpoint with one logit",
            got=f"{network.module.config.num_labels} labels",
            blame="options.loader of the card",
            hint='options.loader = "sequence-classification" serves classify',
        )
    return CrossEncoder(card, tokenizer, network)


def _ranking(pieces: Sequence[Sequence[Piece]]) -> Ranking:
    return ranking(np.array([windows[0].row for windows in pieces], dtype=np.float32))
