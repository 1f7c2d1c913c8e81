"""Train the last step of the network, which mends its masks: `python refine.py --scenes FOLDER --weights FILE`.

The rest of the network stays as it is in the file of weights, which is written anew. Its answers are computed once, on
scenes of a seed that it was not trained on: on its own scenes it is surer than it will ever be.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass
from pathlib import Path

import pool
import torch
from metier_sam.promptable import PromptableNet, load
from metier_sam.promptable.refinement import Refiner, facts
from metier_sam.promptable.windows import within
from safetensors import safe_open
from safetensors.torch import save_file
from samples import PROMPTS, Batch, Windows
from torch import Tensor
from train import forward, misfits, overlaps

_WARMUP = 50
_DECAY = 0.01
_LEAST_IOU = 0.3
_REPORT = 250


@dataclass(frozen=True, slots=True)
class _Answered:
    """A batch with the network's best mask of each prompt, float16 [N, 128, 128], and which are worth mending."""

    batch: Batch
    logits: Tensor
    fair: Tensor


def train(settings: argparse.Namespace) -> None:
    """Train as the command line says."""
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    network = load(settings.weights)
    answered = _answered(network, settings)
    kept, trained = answered[: settings.batches // 20], answered[settings.batches // 20 :]
    refiner = Refiner().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(refiner.parameters(), lr=settings.rate, weight_decay=_DECAY)
    before = time.monotonic()
    for step in range(settings.steps):
        for group in optimizer.param_groups:
            group["lr"] = settings.rate * _pace(step, settings.steps)
        one = trained[int(torch.randint(len(trained), ()))]
        loss = misfits(_refined(refiner, one)[:, None], one.batch)[one.fair].mean()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad()
        if (step + 1) % _REPORT == 0:
            print(f"step {step + 1} {(time.monotonic() - before) / 60:.1f} min {_judged(refiner, kept)}", flush=True)
    network.refiner.load_state_dict(refiner.state_dict())
    _export(network, settings)


@torch.no_grad()
def _answered(network: PromptableNet, settings: argparse.Namespace) -> list[_Answered]:
    pool.draw(settings.scenes, settings.seed, settings.count, settings.threads)
    scenes = list(pool.read(settings.scenes, settings.seed))[: settings.count]
    stream = iter(Windows(scenes, settings.windows, (settings.seed, 0)))
    return [_answer(network, next(stream)) for _ in range(settings.batches)]


def _answer(network: PromptableNet, batch: Batch) -> _Answered:
    """Return of each prompt the mask that fits best: an answer to another reading of a click cannot be mended."""
    logits, _ = forward(network, batch)
    best, which = overlaps(logits, batch).max(1)
    chosen = logits[torch.arange(len(logits)), which]
    for number, box in enumerate(batch.prompts.boxes):
        if box.isfinite().all():
            chosen[number] = within(box, chosen[number : number + 1])[0]
    return _Answered(batch, chosen.half(), best > _LEAST_IOU)


def _refined(refiner: Refiner, one: _Answered) -> Tensor:
    pixels, valid = (each.float().repeat_interleave(PROMPTS, 0) for each in (one.batch.pixels, one.batch.valid))
    logits = one.logits.float()
    return logits + refiner.change(facts(logits, pixels / 255, valid))


@torch.inference_mode()
def _judged(refiner: Refiner, kept: list[_Answered]) -> str:
    """Tell the mean IoU on batches that are not trained on, before and after."""
    means = []
    for change in (False, True):
        each = [
            overlaps((_refined(refiner, one) if change else one.logits.float())[:, None], one.batch)[one.fair]
            for one in kept
        ]
        means.append(float(torch.cat(each).mean()))
    return f"IoU {means[0]:.4f} to {means[1]:.4f}"


def _pace(step: int, total: int) -> float:
    """Rise for 50 steps, and fall to 0 as half a cosine."""
    return min(1.0, (step + 1) / _WARMUP) * (0.5 + 0.5 * math.cos(math.pi * step / total))


def _export(network: PromptableNet, settings: argparse.Namespace) -> None:
    with safe_open(settings.weights, framework="pt") as file:
        metadata = file.metadata()
    metadata["refined_by"] = "plugins/sam/training/refine.py"
    metadata["refined_on"] = f"{settings.count} synthetic scenes of pictures.py, seed {settings.seed}; no photograph"
    metadata["refining_steps"] = str(settings.steps)
    weights = {name: one.detach().half().contiguous() for name, one in network.state_dict().items()}
    save_file(weights, settings.weights, metadata)


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=Path, required=True, help="folder of the pool of scenes, filled if need be")
    parser.add_argument("--weights", type=Path, required=True, help="of train.py; the last step is written into it")
    parser.add_argument("--count", type=int, default=4_000, help="scenes in the pool")
    parser.add_argument("--batches", type=int, default=800, help="of answers, a twentieth kept apart to judge")
    parser.add_argument("--steps", type=int, default=4_500)
    parser.add_argument("--windows", type=int, default=8, help="windows a step, with two prompts each")
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=2)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
