"""Batches of about equal work: inputs sorted by length, cut by the number of padded tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from metier_contracts import CallContext
from numpy.typing import NDArray

# Small batches stay in the processor's caches; measured best among 512 to 16,384 on two cores.
TOKENS_PER_BATCH = {"cpu": 2048, "cuda": 65536, "mps": 16384}

Forward = Callable[[dict[str, torch.Tensor]], torch.Tensor]


def tokens_per_batch(device: str) -> int:
    """Return the padded tokens of one batch on a device."""
    return TOKENS_PER_BATCH[device.partition(":")[0]]


def batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Yield positions in order of length, in batches of at most `budget` padded tokens (or a single input)."""
    batch: list[int] = []
    for position in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and lengths[position] * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(position)
    if batch:
        yield batch


def padded(rows: Sequence[Sequence[int]], padding: int, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return token ids int64 [B, L], padded on the right, and the mask int64 [B, L] that is 1 on tokens."""
    lengths = np.array([len(row) for row in rows])
    ids = np.full((len(rows), lengths.max()), padding, dtype=np.int64)
    mask = np.arange(lengths.max())[None, :] < lengths[:, None]
    ids[mask] = np.concatenate([np.asarray(row, dtype=np.int64) for row in rows])
    return torch.from_numpy(ids).to(device), torch.from_numpy(mask.astype(np.int64)).to(device)


def run_in_batches(
    encoded: Any, padding: int, device: str, forward: Forward, context: CallContext
) -> list[NDArray[np.float32]]:
    """Take tokenized inputs through a network and return what it gives for each, in order.

    `encoded`: what a fast tokenizer returns without padding (`input_ids`, and `token_type_ids` for pairs).
    `forward`: from the padded inputs to float [B, ...]; row i of its result belongs to row i of the inputs.
    """
    ids, types = encoded["input_ids"], encoded.get("token_type_ids")
    results: list[Any] = [None] * len(ids)
    with torch.inference_mode():
        for positions in batches([len(row) for row in ids], tokens_per_batch(device)):
            context.check()
            tokens, mask = padded([ids[p] for p in positions], padding, device)
            inputs = {"input_ids": tokens, "attention_mask": mask}
            if types is not None:
                inputs["token_type_ids"] = padded([types[p] for p in positions], 0, device)[0]
            for position, row in zip(positions, forward(inputs).float().cpu().numpy(), strict=True):
                results[position] = row
    return results
