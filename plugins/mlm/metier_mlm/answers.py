"""Answers to a batch of requests, each of which fails alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from metier_contracts import (
    Classification,
    Classify,
    InputError,
    ModelCard,
    Ranking,
)
from metier_contracts.authoring import unsupported
from numpy.typing import NDArray


def text_of(request: Classify, card: ModelCard) -> str:
    """Return the request's text; raise `UnsupportedError` where it holds an image."""
    if request.text is None:
        raise unsupported(request, card)
    return request.text


def own_labels(request: Classify, labels: Sequence[str], card: ModelCard) -> Sequence[str]:
    """Return the labels to score, of a model that knows `labels` alone.

    Raises `InputError` where the request names others, or brings examples to learn from.
    """
    if request.examples is not None:
        raise InputError(
            f"{card.id} learns from no examples",
            expected="a request without examples, or a model whose card says few_shot = true",
            got=f"{len(request.examples)} examples",
            blame="examples of the request",
        )
    chosen = labels if request.labels is None else request.labels
    if strangers := [label for label in chosen if label not in labels]:
        raise InputError(
            f"{card.id} does not know the label {strangers[0]!r}",
            expected=f"labels among {', '.join(labels)}",
            got=", ".join(chosen),
            blame="labels of the request",
        )
    return chosen


def classification(scores: Mapping[str, float]) -> Classification:
    """Return the answer with these scores; of equal ones the first label wins."""
    return Classification(label=max(scores, key=scores.__getitem__), scores=scores)


def ranking(scores: NDArray[np.float32]) -> Ranking:
    """Return the answer with these scores [N], one a candidate; of equal ones the first candidate comes first."""
    order = np.argsort(-scores, kind="stable")
    return Ranking(order=tuple(order.tolist()), scores=tuple(scores[order].tolist()))


def softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the softmax over the last axis, float64."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def sigmoid(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the logistic function of each, float64, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits.astype(np.float64))))
