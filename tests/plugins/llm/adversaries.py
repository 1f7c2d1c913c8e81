"""Samplers that know nothing and mean no good: whatever the constraint leaves them has to end as valid JSON."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from metier_llm.constraints import Matcher

Adversary = Callable[[Any, int], torch.Tensor]
"""Takes a tokenizer and the number of logits, and returns what it adds to noise."""


@cache
def random(tokenizer: Any, size: int) -> torch.Tensor:
    """Draw a token at random from those that are allowed."""
    return torch.zeros(size)


@cache
def endless(tokenizer: Any, size: int) -> torch.Tensor:
    """Prefer tokens that open something, or go on with it, to those that close."""
    liked = torch.zeros(size)
    for token, text in enumerate(tokenizer.convert_ids_to_tokens(range(min(size, len(tokenizer))))):
        if any(mark in text for mark in "[{,") and not any(mark in text for mark in '"]}'):
            liked[token] = 20
        elif text.isalnum():
            liked[token] = 2 + len(text)
    return liked


def text_of(tokenizer: Any, tokens: list[int]) -> str:
    """Return what tokens say."""
    text: str = tokenizer.decode(tokens, skip_special_tokens=True)
    return text


def write(
    matcher: Matcher, tokenizer: Any, size: int, adversary: Adversary, most: int, seed: int = 0, begun: str = ""
) -> tuple[str, int]:
    """Write a text as the adversary likes, after the tokens of `begun`. Returns it and how many tokens it took."""
    draws = torch.Generator().manual_seed(seed)
    wanted = tokenizer.encode(begun, add_special_tokens=False)
    tokens: list[int] = []
    while not matcher.finished and len(tokens) < most:
        logits = adversary(tokenizer, size) + torch.rand(size, generator=draws)
        if len(tokens) < len(wanted):
            logits[wanted[len(tokens)]] = 1e3
        matcher.mask(logits)
        tokens.append(int(logits.argmax()))
        assert logits[tokens[-1]] > -torch.inf
        matcher.accept(tokens[-1])
    assert getattr(matcher, "_grammar", 0) is not None  # llguidance agreed to every token
    return text_of(tokenizer, tokens), len(tokens)
