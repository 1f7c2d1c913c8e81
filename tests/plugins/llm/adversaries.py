"""Samplers that know nothing and mean no good: whatever the constraint leaves them has to end as valid JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from metier_llm.constraints import Matcher

Adversary = Callable[[Any, int, torch.Generator], torch.Tensor]


def random(tokenizer: Any, size: int, draws: torch.Generator) -> torch.Tensor:
    """Draw a token at random from those that are allowed."""
    return torch.rand(size, generator=draws)


def endless(tokenizer: Any, size: int, draws: torch.Generator) -> torch.Tensor:
    """Prefer tokens that open something, or go on with it, to those that close."""
    logits = torch.rand(size, generator=draws)
    for token, text in enumerate(tokenizer.convert_ids_to_tokens(range(min(size, len(tokenizer))))):
        if any(mark in text for mark in "[{,") and not any(mark in text for mark in '"]}'):
            logits[token] += 20
        elif text.isalnum():
            logits[token] += 2 + len(text)
    return logits


def text_of(tokenizer: Any, tokens: list[int]) -> str:
    """Return what tokens say."""
    text: str = tokenizer.decode(tokens, skip_special_tokens=True)
    return text


def write(
    matcher: Matcher, tokenizer: Any, size: int, adversary: Adversary, most: int, seed: int = 0, begun: str = ""
) -> tuple[str, int]:
    """Write a text as the adversary likes, after the tokens of `begun`. Returns it and how many tokens it took."""
    draws = torch.Generator().manual_seed(seed)
    liked = adversary(tokenizer, size, draws)
    wanted = tokenizer.encode(begun, add_special_tokens=False)
    tokens: list[int] = []
    while not matcher.finished and len(tokens) < most:
        logits = liked + 0.5 * torch.rand(size, generator=draws)
        if len(tokens) < len(wanted):
            logits[wanted[len(tokens)]] = 1e3
        matcher.mask(logits)
        tokens.append(int(logits.argmax()))
        assert logits[tokens[-1]] > -torch.inf
        matcher.accept(tokens[-1])
    assert getattr(matcher, "_grammar", 0) is not None  # llguidance agreed to every token
    return text_of(tokenizer, tokens), len(tokens)
