"""`Size`: how much there is to work on in a request."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Unit = Literal["characters", "pixels", "points", "edges", "pixel-steps", "steps"]


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is to work on, in the task's own unit: what the time of a call grows with.

    It is told from the request alone, without a tokenizer or weights. `output_tokens`: the most tokens that may be
    written, 0 where the request does not say. `choice_characters`, `example_characters`: what a language model is told
    besides: the answers to choose among, as JSON, and the examples, as turns of a talk in JSON.
    """

    amount: int
    unit: Unit = "characters"
    output_tokens: int = 0
    choice_characters: int = 0
    example_characters: int = 0


def characters(choices: Sequence[str] | None) -> int:
    """Return how many characters the answers to choose among are as JSON; 0 where none are named."""
    return 0 if choices is None else len(json.dumps(list(choices), ensure_ascii=False))
