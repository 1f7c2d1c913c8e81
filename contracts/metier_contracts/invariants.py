"""What an invariant is. Each task states its own beside its request and response (see `metier_contracts.tasks`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from metier_contracts.card import Capabilities


@dataclass(frozen=True, slots=True)
class Violation:
    """How a response breaks an invariant: the field, what was expected there, and what came."""

    field: str
    expected: str
    got: str


Invariant = Callable[[Any, Any, Capabilities], Violation | None]
"""Takes request, response and the card's capabilities for the task; returns None where the invariant holds."""


def descending(field: str, scores: Sequence[float]) -> Violation | None:
    """Scores never rise."""
    for before, after in pairwise(scores):
        if not before >= after:
            return Violation(field, "scores in descending order", f"{before} before {after}")
    return None


def length(field: str, got: int, expected: int, of: str) -> Violation | None:
    """One entry for each of something."""
    return None if got == expected else Violation(field, f"{expected} entries, one for each {of}", str(got))


def finite(field: str, values: Any) -> Violation | None:
    """No NaN and no infinity."""
    return None if np.isfinite(values).all() else Violation(field, "finite numbers", "NaN or infinity among them")
