"""A logistic regression on embeddings: how few examples become a classifier."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from metier_contracts import InputError
from numpy.typing import NDArray

# Vectors have norm 1, so that weights must be large to be sure of anything: scikit-learn's default of 1 is too shy.
INVERSE_REGULARISATION = 10.0


@dataclass(frozen=True)
class LogisticHead:
    """Weights float64 [C, D] and intercepts float64 [C], a row for each label.

    `exclusive`: one label only, scores by softmax; else each label for itself, scores by the logistic function.
    """

    labels: tuple[str, ...]
    weights: NDArray[np.float64]
    intercepts: NDArray[np.float64]
    exclusive: bool = True

    @property
    def nbytes(self) -> int:
        """The bytes of the arrays."""
        return self.weights.nbytes + self.intercepts.nbytes

    def scores(self, vector: NDArray[np.float32]) -> dict[str, float]:
        """Return the score of each label for one vector float32 [D]."""
        logits = self.weights @ vector.astype(np.float64) + self.intercepts
        return dict(zip(self.labels, map(float, softmax(logits) if self.exclusive else sigmoid(logits)), strict=True))


def fit_head(
    vectors: NDArray[np.float32], given: Sequence[str], labels: Sequence[str], *, exclusive: bool = True
) -> LogisticHead:
    """Fit a head on vectors float32 [N, D] and their labels; classes weigh the same however many examples they have.

    Raises:
        InputError: a label has no example, or there is only one.
    """
    missing = [label for label in labels if label not in set(given)]
    if missing or len(labels) < 2:
        raise InputError(
            "a classifier cannot be fitted from these examples",
            expected="examples of every label, and at least two labels",
            got=f"no example of {missing[0]!r}" if missing else f"the one label {labels[0]!r}",
            blame="examples",
            hint="add examples, or leave the label out; without examples at all, labels are compared by meaning",
        )
    if exclusive:
        return _fit_exclusive(vectors, given, tuple(labels))
    rows = [_fit(vectors, np.array([label == one for one in given])) for label in labels]
    return LogisticHead(
        tuple(labels), np.concatenate([row[0] for row in rows]), np.concatenate([row[1] for row in rows]), False
    )


def _fit_exclusive(vectors: NDArray[np.float32], given: Sequence[str], labels: tuple[str, ...]) -> LogisticHead:
    position = {label: index for index, label in enumerate(labels)}
    weights, intercepts = _fit(vectors, np.array([position[label] for label in given]))
    if len(labels) == 2:  # one row says how much the second label is likelier than the first
        weights, intercepts = np.concatenate([0 * weights, weights]), np.concatenate([0 * intercepts, intercepts])
    return LogisticHead(labels, weights, intercepts)


def _fit(vectors: NDArray[np.float32], classes: NDArray[np.generic]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=INVERSE_REGULARISATION, class_weight="balanced", max_iter=2000)
    with warnings.catch_warnings():
        # Its last iterations change the scores in the fourth digit; a caller could do nothing about it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(vectors.astype(np.float64), classes)
    return np.asarray(model.coef_, dtype=np.float64), np.asarray(model.intercept_, dtype=np.float64)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities that sum to 1 over the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 / (1 + exp(-x)), without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)))
