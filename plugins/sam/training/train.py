"""Train the promptable network: `python train.py --scenes FOLDER --checkpoint FILE --weights FILE`.

It may be stopped at any time and goes on from its checkpoint; the weights written are a moving average.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pool
import torch
from metier_sam.promptable import Config, PromptableNet
from metier_sam.promptable.prompts import draw
from safetensors.torch import save_file
from samples import PROMPTS, Batch, Windows
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader

_WARMUP = 200
_DECAY = 0.01
_LARGEST_GRADIENT = 1.0
_KEPT = 0.998
_BEST = 0.85
_CROSS_ENTROPY = 3.0
_REPORT, _SAVE = 50, 250


def losses(logits: Tensor, expected: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the loss, and the IoU of the mask that each prompt's own judgement would choose, [N].

    Of the three masks of a click the one that fits best counts most: that leaves each free to stand for one reading.
    A box is not ambiguous: all three count. The expected IoU is held to the IoU with the whole object, also where that
    leaves the window.
    """
    each, iou = misfits(logits, batch), overlaps(logits, batch)
    judged = (expected - iou).square().mean(1)
    best = torch.where(batch.prompts.boxes.isfinite().all(1), 0.0, _BEST)
    loss = best * each.amin(1) + (1 - best) * each.mean(1) + judged
    return loss.mean(), iou.gather(1, expected.argmax(1, keepdim=True))[:, 0]


def misfits(logits: Tensor, batch: Batch) -> Tensor:
    """Return cross entropy and dice of each mask, [N, M], of logits [N, M, 128, 128]."""
    targets = batch.truths[:, None].float().expand_as(logits)
    entropy = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none").mean((2, 3))
    shares = logits.sigmoid()
    overlap = (shares * targets).sum((2, 3))
    return _CROSS_ENTROPY * entropy + 1 - (2 * overlap + 1) / (shares.sum((2, 3)) + targets.sum((2, 3)) + 1)


def overlaps(logits: Tensor, batch: Batch) -> Tensor:
    """Return the IoU of each mask with the whole object, [N, M], of logits [N, M, 128, 128]."""
    masks = logits.detach() > 0
    shared = (masks & batch.truths[:, None]).sum((2, 3))
    return shared / (masks.sum((2, 3)) + batch.areas[:, None] - shared).clamp(min=1)


def forward(network: PromptableNet, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return logits and expected IoU of a batch, float32."""
    valid = batch.valid.float().repeat_interleave(PROMPTS, 0)
    maps, focus = draw(batch.prompts, valid)
    with torch.autocast("cpu", torch.bfloat16):
        pixels = (batch.pixels.float() / 255).contiguous(memory_format=torch.channels_last)
        features = network.encoder(pixels).repeat_interleave(PROMPTS, 0)
        logits, expected = network.decoder(features, maps, focus, valid)
    return logits.float(), expected.float()


@dataclass
class _Run:
    """A training under way: the network, its moving average, the optimizer, and how far it is."""

    network: PromptableNet
    average: PromptableNet
    optimizer: torch.optim.Optimizer
    step: int = 0
    seconds: float = 0.0

    def save(self, path: Path) -> None:
        states = {name: getattr(self, name).state_dict() for name in ("network", "average", "optimizer")}
        torch.save({**states, "step": self.step, "seconds": self.seconds}, path.with_suffix(".part"))
        path.with_suffix(".part").rename(path)

    def resume(self, path: Path) -> None:
        kept = torch.load(path, weights_only=True)
        for name in ("network", "average", "optimizer"):
            getattr(self, name).load_state_dict(kept[name])
        self.step, self.seconds = kept["step"], kept["seconds"]


def train(settings: argparse.Namespace) -> None:
    """Train as the command line says, from the checkpoint if there is one."""
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    network = PromptableNet(Config()).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.rate, weight_decay=_DECAY, fused=True)
    run = _Run(network, copy.deepcopy(network), optimizer)
    if settings.checkpoint.exists():
        run.resume(settings.checkpoint)
    found: list[tuple[float, Batch, Tensor]] = []
    batches, before = _batches(settings, run.step), time.monotonic()
    while run.step < settings.steps:
        run.step += 1
        found.append(_step(run, next(batches), settings.rate * _pace(run.step, settings.steps)))
        before, spent = time.monotonic(), time.monotonic() - before
        run.seconds += spent
        if run.step % _REPORT == 0:
            _report(run, found)
            found = []
        if run.step % _SAVE == 0 or run.step == settings.steps:
            run.save(settings.checkpoint)
            _export(run, settings)


def _step(run: _Run, batch: Batch, rate: float) -> tuple[float, Batch, Tensor]:
    """Go one step, and return its loss, its batch and the IoU of each prompt."""
    for group in run.optimizer.param_groups:
        group["lr"] = rate
    loss, iou = losses(*forward(run.network, batch), batch)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(run.network.parameters(), _LARGEST_GRADIENT)
    run.optimizer.step()
    run.optimizer.zero_grad()
    # The average starts late: the first steps are worth nothing.
    kept = min(_KEPT, run.step / (run.step + 10))
    with torch.no_grad():
        for mean, now in zip(run.average.parameters(), run.network.parameters(), strict=True):
            mean.lerp_(now, 1 - kept)
    return float(loss.detach()), batch, iou


def _batches(settings: argparse.Namespace, done: int) -> Iterator[Batch]:
    pool.draw(settings.scenes, settings.seed, settings.count, settings.threads)
    scenes = list(pool.read(settings.scenes, settings.seed))[: settings.count]
    stream = Windows(scenes, settings.windows, (settings.seed, done))
    return iter(DataLoader(stream, batch_size=None, num_workers=1, prefetch_factor=4, multiprocessing_context="fork"))


def _pace(step: int, total: int) -> float:
    """Rise for 200 steps, then fall to 0 as half a cosine."""
    if step < _WARMUP:
        return step / _WARMUP
    return 0.5 + 0.5 * math.cos(math.pi * (step - _WARMUP) / max(1, total - _WARMUP))


def _report(run: _Run, found: list[tuple[float, Batch, Tensor]]) -> None:
    iou = torch.cat([one for _, _, one in found])
    boxed = torch.cat([batch.prompts.boxes.isfinite().all(1) for _, batch, _ in found])
    clicked = torch.cat([(batch.prompts.labels >= 0).sum(1) == 1 for _, batch, _ in found]) & ~boxed
    whole = torch.cat([batch.truths.sum((1, 2)) == batch.areas for _, batch, _ in found])
    loss = sum(one for one, _, _ in found) / len(found)
    print(
        f"step {run.step} {run.seconds / 60:.1f} min loss {loss:.4f} IoU box {iou[boxed].mean():.3f} "
        f"click {iou[clicked & whole].mean():.3f} all {iou.mean():.3f}",
        flush=True,
    )


def _export(run: _Run, settings: argparse.Namespace) -> None:
    provenance = {
        "trained_by": "plugins/sam/training/train.py",
        "trained_on": f"{settings.count} synthetic scenes of pictures.py, seed {settings.seed}; no photograph",
        "steps": str(run.step),
        "prompts": str(run.step * settings.windows * PROMPTS),
        "minutes": f"{run.seconds / 60:.1f}",
        "licence": "Apache-2.0",
    }
    weights = {name: one.detach().half().contiguous() for name, one in run.average.state_dict().items()}
    settings.weights.parent.mkdir(parents=True, exist_ok=True)
    save_file(weights, settings.weights, {"config": json.dumps(asdict(run.average.config)), **provenance})


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=Path, required=True, help="folder of the pool of scenes, filled if need be")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--count", type=int, default=15_000, help="scenes in the pool")
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--windows", type=int, default=8, help="windows a step, with two prompts each")
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
