"""`Network`: a transformers module run over encodings, in batches of like length under a budget of tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from metier_contracts import CallContext, InferenceError
from metier_contracts.authoring import dtype_name, module_bytes
from numpy.typing import NDArray
from tokenizers import Encoding

Batch = dict[str, torch.Tensor]
"""`input_ids`, `attention_mask` (1 for tokens, 0 for padding) and perhaps `token_type_ids`: int64 [B, L] each."""
Reduce = Callable[[Any, Batch], torch.Tensor]
"""Takes the module's output on a batch and returns one row for each input, [B, ...]."""
Row = NDArray[np.float32]


class Network:
    """Runs a transformers module.

    Args:
        module: the module, in evaluation mode, on `device`.
        device: where it is.
        batch_tokens: the most tokens of one forward pass, padding included.
        pad_id: the id of the padding token.
        type_ids: whether the module is given token type ids; pairs need them.
    """

    def __init__(self, module: Any, device: str, batch_tokens: int, pad_id: int, *, type_ids: bool = False) -> None:
        self.module = module
        self.device = device
        self.dtype = dtype_name(module.dtype)
        self._batch_tokens = batch_tokens
        self._pad_id = pad_id
        self._type_ids = type_ids

    def run(self, encodings: Sequence[Encoding], reduce: Reduce, context: CallContext) -> list[Row | InferenceError]:
        """Return one float32 row for each encoding, in order; checks `context` before each batch.

        Rows of a reduction that keeps the tokens are padded to their batch's length.
        """
        rows: dict[int, Row | InferenceError] = {}
        with torch.inference_mode():
            for batch in cut([len(encoding) for encoding in encodings], self._batch_tokens):
                context.check()
                answers = self._attempt([encodings[position] for position in batch], reduce)
                rows.update(zip(batch, answers, strict=True))
        return [rows[position] for position in range(len(encodings))]

    def _attempt(self, batch: Sequence[Encoding], reduce: Reduce) -> Sequence[Row | InferenceError]:
        """Run one batch; where it fails (memory above all), its halves, so that an input fails alone."""
        try:
            return self._forward(batch, reduce)
        except Exception as error:
            if len(batch) == 1:
                failure = InferenceError("the model raised on a text", got=f"{type(error).__name__}: {error}")
                failure.__cause__ = error
                return [failure]
        middle = len(batch) // 2
        return [*self._attempt(batch[:middle], reduce), *self._attempt(batch[middle:], reduce)]

    def _forward(self, batch: Sequence[Encoding], reduce: Reduce) -> list[Row]:
        longest = max(map(len, batch))
        inputs = {
            "input_ids": self._padded([encoding.ids for encoding in batch], longest, self._pad_id),
            "attention_mask": self._padded([encoding.attention_mask for encoding in batch], longest, 0),
        }
        if self._type_ids:
            inputs["token_type_ids"] = self._padded([encoding.type_ids for encoding in batch], longest, 0)
        # Without padding there is nothing to mask, and attention without a mask is faster.
        padded = any(len(encoding) < longest for encoding in batch)
        output = self.module(**(inputs if padded else {**inputs, "attention_mask": None}))
        return list(reduce(output, inputs).float().cpu().numpy())

    def _padded(self, rows: Sequence[Sequence[int]], longest: int, value: int) -> torch.Tensor:
        if len(rows) == 1:
            return torch.tensor(rows, device=self.device)
        table = np.full((len(rows), longest), value, dtype=np.int64)
        for line, row in zip(table, rows, strict=True):
            line[: len(row)] = row
        return torch.from_numpy(table).to(self.device)

    def resident_bytes(self) -> int:
        """Return the bytes of parameters and buffers."""
        return module_bytes(self.module)

    def close(self) -> None:
        """Drop the tensors."""
        self.module = None
        if self.device.startswith("cuda"):
            torch.cuda.empty_cache()


def cut(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Return batches of positions, shortest inputs first: inputs times the longest of them stays under `budget`.

    An input longer than the budget is a batch of its own.
    """
    batches: list[list[int]] = []
    batch: list[int] = []
    for position in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and lengths[position] * (len(batch) + 1) > budget:
            batches.append(batch)
            batch = []
        batch.append(position)
    return [*batches, batch] if batch else batches
