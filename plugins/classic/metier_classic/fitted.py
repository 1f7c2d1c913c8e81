"""Loader `tfidf-fitted`: classify by what was learned when the model was fitted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from metier_contracts import CallContext, Classification, MetierError, ModelCard, ModelLoadError, Placement, Request
from metier_contracts.authoring import LoaderOptions, attempt, read_options

from metier_classic.answering import classification, labels_among, text_to_classify
from metier_classic.regression import Regression


class FittedTfidf:
    """A regression and its card; all texts of a call are scored at once."""

    def __init__(self, card: ModelCard, learned: Regression) -> None:
        self.card = card
        self._learned = learned

    def infer(self, requests: Sequence[Request[Any]], context: CallContext) -> Sequence[Classification | MetierError]:
        """Answer each request, in order; an item that fails is answered by its error."""
        context.check()
        return [attempt(partial(self._answer, request)) for request in requests]

    def _answer(self, given: Request[Any]) -> Classification:
        request, text = text_to_classify(given, self.card)
        labels = labels_among(request, self._learned.labels, self.card)
        (scores,) = self._learned.scores([text], labels)
        return classification(dict(zip(labels, scores.tolist(), strict=True)))

    def resident_bytes(self) -> int:
        """Return the bytes of the regression."""
        return self._learned.nbytes

    def close(self) -> None:
        """Keep nothing: the arrays go with the model."""


def load(card: ModelCard, placement: Placement) -> FittedTfidf:
    """Return the model in `placement.directory`."""
    read_options(LoaderOptions, card)
    if placement.directory is None:
        raise ModelLoadError(
            f"no weights for {card.id}", expected="a folder", got="None", blame=f"`source` of the card {card.id}"
        )
    return FittedTfidf(card, Regression.load(placement.directory))
