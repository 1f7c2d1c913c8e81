"""How many tokens a request is, reckoned without a tokenizer."""

from __future__ import annotations

from collections.abc import Mapping

from metier_contracts import Overhead, Size, Unit

CHARACTERS_PER_TOKEN = 4
"""Of English text in the vocabularies of today's language models."""

_UNITS_PER_TOKEN: Mapping[Unit, float] = {
    "characters": CHARACTERS_PER_TOKEN,
    "pixels": 256,
    "points": 1,
    "edges": 1,
    "pixel-steps": 256,
    "steps": 0.001,
}


def tokens_read(size: Size, overhead: Overhead | None = None) -> float:
    """Return about how many tokens a request is to read, with what the model is told besides."""
    tokens = size.amount / _UNITS_PER_TOKEN[size.unit]
    if overhead is None:
        return tokens
    told = overhead.choices * size.choice_characters + overhead.examples * size.example_characters
    return tokens + overhead.input_tokens + told / CHARACTERS_PER_TOKEN
