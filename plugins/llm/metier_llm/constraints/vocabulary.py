"""The tokens of a model, as the bytes that they stand for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch


class Vocabulary:
    """The tokens of a tokenizer. `size`: columns of the logits; `end`: tokens that end a turn."""

    def __init__(self, tokenizer: Any, size: int, end: frozenset[int]) -> None:
        from llguidance.hf import from_tokenizer

        self.size, self.end = size, end
        self.known = known = min(size, len(tokenizer))
        self.native = from_tokenizer(tokenizer, n_vocab=known, eos_token=sorted(end))
        self._bytes = [
            b"" if self.native.is_special_token(token) else self.native.decode_bytes([token]) for token in range(known)
        ]
        self._tokens: dict[bytes, int] = {}
        for token, data in enumerate(self._bytes):
            if data:
                self._tokens.setdefault(data, token)
        self._longest = max(map(len, self._tokens))

    def bytes_of(self, token: int) -> bytes:
        """Return the bytes of a token; a special token, and a column that is no token, have none."""
        return self._bytes[token] if token < self.known else b""

    def token_of(self, data: bytes) -> int:
        """Return the token of exactly these bytes."""
        return self._tokens[data]

    def costs(self, text: bytes) -> Sequence[int]:
        """Return, for each place in a text, the fewest tokens that make up the rest."""
        costs = [0] * (len(text) + 1)
        for start in range(len(text) - 1, -1, -1):
            ends = range(start + 1, min(len(text), start + self._longest) + 1)
            costs[start] = 1 + min((costs[end] for end in ends if text[start:end] in self._tokens), default=1 << 30)
        return costs

    def first_of(self, text: bytes) -> int:
        """Return the first of the fewest tokens that make up a text."""
        costs = self.costs(text)
        ends = (end for end in range(1, len(text) + 1) if text[:end] in self._tokens)
        return self._tokens[text[: next(end for end in ends if costs[end] == costs[0] - 1)]]

    def allowed(self, grammar: Any, device: torch.device) -> torch.Tensor:
        """Return which tokens the grammar allows next: bool [V]."""
        bits = np.frombuffer(grammar.compute_bitmask(), dtype=np.uint8)
        found = np.zeros(self.size, dtype=bool)
        found[: self.known] = np.unpackbits(bits, bitorder="little")[: self.known]
        return torch.from_numpy(found).to(device)
