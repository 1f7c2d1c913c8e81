"""Fine-tuning: a plain loop of AdamW over batches, the same for every head."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from metier_contracts import CallContext, InferenceError

_WARMUP = 0.1
_WEIGHT_DECAY = 0.01
_LARGEST_GRADIENT = 1.0
IGNORED = -100
"""The target of a token that counts for nothing."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One input: its token ids, and its target: a class, or a class for each token (-100: none)."""

    ids: Sequence[int]
    target: int | Sequence[int]


@dataclass(frozen=True, slots=True)
class Schedule:
    """Epochs, the peak of the learning rate (reached after a tenth of the steps, then falling to 0), and the seed."""

    epochs: int
    learning_rate: float
    batch_size: int
    seed: int


def train(module: Any, samples: Sequence[Sample], schedule: Schedule, pad_id: int, context: CallContext) -> None:
    """Train `module` (float32, with a loss of its own) in place, and leave it in evaluation mode.

    All of it runs in float32: bfloat16 autocast was measured to save a seventh of the time on a CPU. The same seed
    gives the same weights on the same machine. Reports (steps done, steps in all).

    Raises:
        DeadlineExceeded, Cancelled: checked before each step.
        InferenceError: the loss is no number any more.
    """
    device = module.device
    # The caller's own random numbers stay as they are.
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(schedule.seed)
        module.train()
        _loop(module, samples, schedule, pad_id, context)
        module.eval()


def _loop(module: Any, samples: Sequence[Sample], schedule: Schedule, pad_id: int, context: CallContext) -> None:
    total = schedule.epochs * -(-len(samples) // schedule.batch_size)
    # Fused, since the update of 23 million parameters takes as long as a small batch where each operation is a pass.
    optimizer = torch.optim.AdamW(_groups(module), lr=schedule.learning_rate, fused=True)
    rates = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, total))
    for done, batch in enumerate(_batches(samples, schedule)):
        context.check()
        loss = module(**_tensors(batch, pad_id, module.device)).loss
        if not torch.isfinite(loss):
            raise InferenceError(
                "training diverged", got=f"a loss of {loss.item()} at step {done}", hint="lower the learning_rate"
            )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), _LARGEST_GRADIENT)
        optimizer.step()
        rates.step()
        optimizer.zero_grad()
        context.report(done + 1, total)


def _groups(module: Any) -> list[dict[str, Any]]:
    """Return the parameters with and without weight decay: biases and norms have none."""
    parameters = list(module.parameters())
    return [
        {"params": [one for one in parameters if one.ndim > 1], "weight_decay": _WEIGHT_DECAY},
        {"params": [one for one in parameters if one.ndim <= 1], "weight_decay": 0.0},
    ]


def _rate(step: int, total: int) -> float:
    warmup = max(1, round(total * _WARMUP))
    return (step + 1) / warmup if step < warmup else (total - step) / max(1, total - warmup)


def _batches(samples: Sequence[Sample], schedule: Schedule) -> Iterator[list[Sample]]:
    for _ in range(schedule.epochs):
        order = torch.randperm(len(samples)).tolist()
        for start in range(0, len(order), schedule.batch_size):
            yield [samples[position] for position in order[start : start + schedule.batch_size]]


def _tensors(batch: Sequence[Sample], pad_id: int, device: torch.device) -> dict[str, torch.Tensor]:
    longest = max(len(sample.ids) for sample in batch)
    targets = [sample.target for sample in batch]
    labels = [target if isinstance(target, int) else _padded(target, longest, IGNORED) for target in targets]
    rows = {
        "input_ids": [_padded(sample.ids, longest, pad_id) for sample in batch],
        "attention_mask": [_padded([1] * len(sample.ids), longest, 0) for sample in batch],
        "labels": labels,
    }
    return {name: torch.tensor(row, device=device) for name, row in rows.items()}


def _padded(row: Sequence[int], longest: int, value: int) -> list[int]:
    return [*row, *[value] * (longest - len(row))]
