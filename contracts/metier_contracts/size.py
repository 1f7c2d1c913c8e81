"""`Size`: how much there is to work on in a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["characters", "pixels", "points", "edges", "pixel-steps", "steps"]


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is to work on, in the task's own unit: what the time of a call grows with.

    It is told from the request alone, without a tokenizer or weights. `output_tokens`: the most tokens that may be
    written, 0 where the task writes none.
    """

    amount: int
    unit: Unit = "characters"
    output_tokens: int = 0
