"""Loader `tfidf`: classify by the words of the examples in the request, and fit models that keep what they learned."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from metier_contracts import (
    CallContext,
    Capabilities,
    Classification,
    ClassifyFit,
    FitRequest,
    InputError,
    MetierError,
    ModelCard,
    Placement,
    Request,
    Response,
    UnsupportedError,
)
from metier_contracts.authoring import Keeper, LoaderOptions, attempt, read_options
from pydantic import Field

from metier_classic.answering import classification, labels_among, text_to_classify
from metier_classic.regression import Regression


class TfidfOptions(LoaderOptions):
    """Options of the loader: `c`, the inverse regularisation, and how many sets of examples are remembered."""

    c: float = Field(default=10.0, gt=0)
    cached_sets: int = Field(default=16, ge=1)


class Tfidf:
    """Learns from the examples of a request, and remembers what it learned by their digest."""

    def __init__(self, card: ModelCard, options: TfidfOptions) -> None:
        self.card = card
        self._c = options.c
        self._learned: Keeper[tuple[str, bool], Regression] = Keeper(options.cached_sets)

    def infer(self, requests: Sequence[Request[Any]], context: CallContext) -> Sequence[Response | MetierError]:
        """Answer each request, in order; an item that fails is answered by its error."""
        answers: list[Response | MetierError] = []
        for request in requests:
            context.check()
            answers.append(attempt(partial(self._answer, request)))
        return answers

    def _answer(self, given: Request[Any]) -> Classification:
        request, text = text_to_classify(given, self.card)
        if request.examples is None:
            raise InputError(
                f"{self.card.id} knows nothing but the examples of a request",
                expected="examples=ExampleSet.from_pairs([(text, label), ...])",
                got="none",
                blame="the request",
                hint="give examples, or fit a model with ClassifyFit and name it",
            )
        key = (request.examples.digest, request.multi_label)
        learned = self._learned.get(key)
        if learned is None:
            learned = Regression.fit(request.examples, multi_label=request.multi_label, c=self._c)
            self._learned.put(key, learned)
        labels = labels_among(request, learned.labels, self.card)
        (scores,) = learned.scores([text], labels)
        return classification(dict(zip(labels, scores.tolist(), strict=True)))

    def fit(self, request: FitRequest, directory: Path, context: CallContext) -> ModelCard:
        """Write what is learned from the examples of a `ClassifyFit` into `directory`, and return its card."""
        if not isinstance(request, ClassifyFit) or request.method != "head":
            raise UnsupportedError(
                f"{self.card.id} has no network to fine-tune",
                expected='ClassifyFit(method="head")',
                got=f"{type(request).__name__}({getattr(request, 'method', '')!r})",
                blame="the fit request",
                hint="leave out method, or name another base",
            )
        learned = Regression.fit(request.examples, multi_label=False, c=self._c)
        learned.save(directory)
        return ModelCard(
            id=request.id,
            plugin=self.card.plugin,
            architecture="classic",
            licence=self.card.licence,
            bytes=learned.nbytes,
            parameters=learned.coefficients.size + learned.intercepts.size,
            thread_safe=True,
            summary=f"Logistic regression on {len(learned.vocabulary):,} terms.",
            options={"loader": "tfidf-fitted"},
            tasks={"classify": Capabilities(labels=learned.labels)},
        )

    def resident_bytes(self) -> int:
        """Return the bytes of what was learned."""
        return sum(learned.nbytes for learned in self._learned.values())

    def close(self) -> None:
        """Forget it."""
        self._learned.clear()


def load(card: ModelCard, placement: Placement) -> Tfidf:
    """Return the model, which has learned nothing yet."""
    return Tfidf(card, read_options(TfidfOptions, card))
