"""`Network`: a causal language model's forward passes."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature
from typing import Any

import torch
from metier_contracts.authoring import dtype_name, module_bytes

from metier_llm.cache import KeyValues


class Network:
    """Runs a causal language model of transformers, whose only memory are keys and values.

    Args:
        module: the model, in evaluation mode.
    """

    def __init__(self, module: Any) -> None:
        self.module = module
        self.device = str(module.device)
        self.dtype = dtype_name(module.dtype)
        # transformers 5.24 renamed the argument, and warns where it meets the old name.
        self._cache_name = "cache" if "cache" in signature(module.forward).parameters else "past_key_values"
        self._layers = module.config.get_text_config().num_hidden_layers
        self._bytes = module_bytes(module)

    def new_cache(self, padding: Sequence[int] = ()) -> KeyValues:
        """Return an empty cache; for prompts, with the padding tokens before each."""
        return KeyValues(self._layers, padding)

    def next_logits(self, rows: Sequence[Sequence[int]], cache: KeyValues) -> torch.Tensor:
        """Return the logits, float32 [B, V], of the token after `rows` [B, q], and add these to the cache."""
        return self._forward(rows, cache, 1)[:, -1]

    def all_logits(self, rows: Sequence[Sequence[int]], cache: KeyValues) -> torch.Tensor:
        """Return the logits, float32 [B, q, V], after each token of `rows` [B, q], and add these to the cache."""
        return self._forward(rows, cache, 0)

    def _forward(self, rows: Sequence[Sequence[int]], cache: KeyValues, last: int) -> torch.Tensor:
        count = len(rows[0])
        cache.reserve(count)
        mask = cache.padding_mask(count)
        output = self.module(
            input_ids=torch.tensor(rows, device=self.device),
            attention_mask=None if mask is None else mask.to(self.device),
            position_ids=cache.positions(count).to(self.device),
            use_cache=True,
            logits_to_keep=last,
            **{self._cache_name: cache},
        )
        cache.advance(count)
        logits: torch.Tensor = output.logits.float()
        return logits

    def nbytes(self) -> int:
        """Return the bytes of parameters and buffers, counted when they were loaded."""
        return self._bytes

    def close(self) -> None:
        """Drop the tensors."""
        self.module = None
        if self.device.startswith("cuda"):
            torch.cuda.empty_cache()
