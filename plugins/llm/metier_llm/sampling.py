"""`Sampler`: draws the next token from the logits, as a request's `Sampling` says."""

from __future__ import annotations

import torch
from metier_contracts import Sampling


class Sampler:
    """Draws tokens. Equal logits and seeds give equal tokens, whatever else is decoded beside them.

    Args:
        sampling: temperature, top_k and top_p; at temperature 0 the most probable token is taken.
        seed: of the draws; None for one by chance.
    """

    def __init__(self, sampling: Sampling, seed: int | None) -> None:
        self._sampling = sampling
        self._generator: torch.Generator | None = None
        if sampling.temperature > 0:
            self._generator = torch.Generator()
            if seed is None:
                self._generator.seed()
            else:
                self._generator.manual_seed(seed)

    def __call__(self, logits: torch.Tensor) -> int:
        """Return the token drawn from `logits`, float32 [V], where -inf is what may not come."""
        if self._generator is None:
            return int(logits.argmax())
        weights, tokens = self._nucleus(logits.cpu() / self._sampling.temperature)
        return int(tokens[torch.multinomial(weights, 1, generator=self._generator)])

    def _nucleus(self, logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the probabilities of the tokens that top_k and top_p leave, and these tokens, best first."""
        most = min(self._sampling.top_k or len(logits), len(logits))
        kept, tokens = logits.topk(most)
        weights = kept.softmax(0)
        if self._sampling.top_p < 1:
            before = weights.cumsum(0) - weights
            weights = weights.where(before < self._sampling.top_p, torch.zeros(()))
        return weights, tokens
