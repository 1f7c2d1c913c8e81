"""Loader `nli`: classify among any labels by inference: does the text entail "This text is about {label}."?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from metier_contracts import (
    CallContext,
    Classification,
    Classify,
    InputError,
    ModelCard,
    ModelLoadError,
    Placement,
    Request,
)
from metier_contracts.authoring import read_options, unsupported
from transformers import AutoModelForSequenceClassification

from metier_mlm.answers import classification, softmax, text_of
from metier_mlm.forward import Batch, Network
from metier_mlm.options import NliOptions
from metier_mlm.reading import read_text_model
from metier_mlm.text_model import Job, Piece, TextModel
from metier_mlm.tokens import TextTokenizer


class NliClassifier(TextModel):
    """A checkpoint that tells whether one sentence entails another, used as Yin, Hay and Roth (2019) do.

    The text is the premise and each label makes a hypothesis, so a request costs a pass for each label. Labels compete
    in a softmax over their logits of entailment; with multi_label each has the probability of entailment against that
    of contradiction (or whatever else the checkpoint knows). Where both together are longer than the context, the
    longer of the two is cut off first.

    Args:
        card: the model's card.
        tokenizer: reads premise and hypothesis together.
        network: gives a logit for each relation.
        template: makes the hypothesis of a label.
        entails, denies: the columns of the two relations among the logits.
    """

    def __init__(
        self, card: ModelCard, tokenizer: TextTokenizer, network: Network, template: str, entails: int, denies: int
    ) -> None:
        super().__init__(card, tokenizer, network)
        self._template = template
        self._columns = [entails, denies]

    def _plan(self, request: Request[Any], context: CallContext) -> Job:
        if not isinstance(request, Classify):
            raise unsupported(request, self.card)
        text = text_of(request, self.card)
        if request.labels is None or request.examples is not None:
            raise InputError(
                f"{self.card.id} chooses among labels by their names",
                expected="labels, and no examples",
                got="no labels" if request.labels is None else f"{len(request.examples or ())} examples",
                blame="the request",
            )
        pairs = [(text, self._template.replace("{label}", label)) for label in request.labels]
        return Job(pairs, partial(_scores, request.labels, request.multi_label))

    def _reduce(self, output: Any, batch: Batch) -> torch.Tensor:
        logits: torch.Tensor = output.logits[:, self._columns]
        return logits


def load(card: ModelCard, placement: Placement) -> NliClassifier:
    """Return the model in `placement.directory`."""
    options = read_options(NliOptions, card)
    tokenizer, network = read_text_model(AutoModelForSequenceClassification, placement, options)
    entails, denies = _relations(card, network.module.config.id2label)
    return NliClassifier(card, tokenizer, network, options.template, entails, denies)


def _relations(card: ModelCard, names: dict[int, str]) -> tuple[int, int]:
    """Return the columns of entailment and of its opposite."""
    columns = {name.lower(): column for column, name in names.items()}
    entails = columns.get("entailment")
    others = [name for name in ("contradiction", "not_entailment") if name in columns]
    if entails is None or not others:
        raise ModelLoadError(
            f"{card.id} does not tell what a text entails",
            expected="a checkpoint with the labels entailment and contradiction (or not_entailment)",
            got=", ".join(map(str, names.values())),
            blame="options.loader of the card",
            hint='options.loader = "sequence-classification" serves a checkpoint with labels of its own',
        )
    return entails, columns[others[0]]


def _scores(labels: Sequence[str], multi_label: bool, pieces: Sequence[Sequence[Piece]]) -> Classification:
    logits = np.stack([windows[0].row for windows in pieces])
    probabilities = softmax(logits)[:, 0] if multi_label else softmax(logits[:, 0])
    return classification(dict(zip(labels, probabilities.tolist(), strict=True)))
