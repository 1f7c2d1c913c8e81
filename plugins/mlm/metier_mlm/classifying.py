"""Scores to a `Classification`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from metier_contracts import Classification, InputError
from numpy.typing import NDArray

from metier_mlm.logistic import sigmoid, softmax


def classification(scores: Mapping[str, float]) -> Classification:
    """Return the classification with the best label of `scores`, the first of equals."""
    return Classification(label=max(scores, key=scores.__getitem__), scores=dict(scores))


def classify_logits(
    logits: NDArray[np.floating[Any]], known: Sequence[str], choices: Sequence[str] | None, multi_label: bool
) -> Classification:
    """Return the classification of logits [C], one for each label of `known`, among `choices` alone."""
    wanted = known if choices is None else choices
    position = {label: index for index, label in enumerate(known)}
    stranger = next((label for label in wanted if label not in position), None)
    if stranger is not None:
        raise InputError(
            "the model does not know that label",
            expected=f"labels among {', '.join(known)}, or labels=None for all",
            got=repr(stranger),
            blame="labels",
            hint="give examples=..., or choose a model with open labels",
        )
    chosen = logits[[position[label] for label in wanted]].astype(np.float64)
    values = sigmoid(chosen) if multi_label else softmax(chosen)
    return classification(dict(zip(wanted, map(float, values), strict=True)))
