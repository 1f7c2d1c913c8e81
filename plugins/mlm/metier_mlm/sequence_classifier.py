"""Loader `sequence-classification`: classify with the labels that a checkpoint was trained for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from metier_contracts import (
    CallContext,
    Capabilities,
    Classification,
    Classify,
    ModelCard,
    ModelLoadError,
    Placement,
    Request,
)
from metier_contracts.authoring import read_options, unsupported
from transformers import AutoModelForSequenceClassification

from metier_mlm.answers import classification, own_labels, sigmoid, softmax, text_of
from metier_mlm.forward import Batch, Network
from metier_mlm.options import TextOptions
from metier_mlm.reading import read_text_model
from metier_mlm.text_model import Job, Piece, TextModel
from metier_mlm.tokens import TextTokenizer


class SequenceClassifier(TextModel):
    """A sequence-classification checkpoint.

    Labels compete in a softmax (where a request names some of them, among these alone); with multi_label each has the
    logistic of its own logit. Texts longer than the context are cut off.
    """

    def __init__(self, card: ModelCard, tokenizer: TextTokenizer, network: Network, labels: Sequence[str]) -> None:
        super().__init__(card, tokenizer, network)
        self._labels = labels

    def _plan(self, request: Request[Any], context: CallContext) -> Job:
        if not isinstance(request, Classify):
            raise unsupported(request, self.card)
        labels = own_labels(request, self._labels, self.card)
        return Job([text_of(request, self.card)], partial(self._score, labels, request.multi_label))

    def _reduce(self, output: Any, batch: Batch) -> torch.Tensor:
        logits: torch.Tensor = output.logits
        return logits

    def _score(self, labels: Sequence[str], multi_label: bool, pieces: Sequence[Sequence[Piece]]) -> Classification:
        logits = pieces[0][0].row[[self._labels.index(label) for label in labels]]
        probabilities = sigmoid(logits) if multi_label else softmax(logits)
        return classification(dict(zip(labels, probabilities.tolist(), strict=True)))


def load(card: ModelCard, placement: Placement) -> SequenceClassifier:
    """Return the model in `placement.directory`."""
    options = read_options(TextOptions, card)
    tokenizer, network = read_text_model(AutoModelForSequenceClassification, placement, options)
    return SequenceClassifier(card, tokenizer, network, _labels(card, network.module.config.id2label))


def _labels(card: ModelCard, names: dict[int, str]) -> Sequence[str]:
    """Return the labels by logit: the checkpoint's names, or the card's where the checkpoint says LABEL_0, LABEL_1."""
    own = [names[index] for index in sorted(names)]
    if len(own) == 1:
        raise ModelLoadError(
            f"the checkpoint of {card.id} does not choose among labels",
            expected="a checkpoint with two labels or more",
            got="one logit",
            blame="options.loader of the card",
            hint='options.loader = "cross-encoder" serves rank',
        )
    listed = card.tasks.get("classify", Capabilities()).labels
    if not isinstance(listed, tuple) or set(listed) == set(own):
        return own
    if len(listed) == len(own) and own == [f"LABEL_{index}" for index in range(len(own))]:
        return listed
    raise ModelLoadError(
        f"the labels of {card.id} are not those of its checkpoint",
        expected=", ".join(listed),
        got=", ".join(own),
        blame=f"labels of the card {card.id}",
    )
