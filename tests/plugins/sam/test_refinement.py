"""The last step: colours mend a mask, where they tell anything, and pixels beyond the picture's edge tell nothing."""

from __future__ import annotations

from pathlib import Path

import metier_sam
import numpy as np
import pytest
import torch
from metier_sam.promptable import PromptableNet
from metier_sam.promptable import load as load_network
from metier_sam.promptable.refinement import Refiner, evidence, facts

WEIGHTS = Path(metier_sam.__file__).parent / "weights" / "promptable.safetensors"
SIDE = 128
DOUBTED = torch.tensor([0.7])


@pytest.fixture(scope="module")
def network() -> PromptableNet:
    return load_network(WEIGHTS)


def star(contrast: float, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a star of five points on a ground, both of them noisy: pixels [1, 3, 128, 128], its mask [1, 128, 128]."""
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    mask = np.hypot(x, y) < 30 + 14 * np.cos(5 * np.arctan2(y, x))
    noise = np.random.default_rng(seed).normal(0, 0.06, (3, SIDE, SIDE))
    pixels = np.clip(0.45 + noise + mask * contrast * np.array([1.0, 0.4, -0.5])[:, None, None], 0, 1)
    return torch.from_numpy(pixels).float()[None], torch.from_numpy(mask)[None]


def rough(mask: torch.Tensor) -> torch.Tensor:
    """Return logits that round a mask's corners off and lie two pixels beside it."""
    soft = torch.nn.functional.avg_pool2d(mask.float(), 21, 1, 10, count_include_pad=False)
    return (torch.roll(soft, (2, 2), (1, 2)) - 0.5) * 10


def iou(logits: torch.Tensor, mask: torch.Tensor) -> float:
    return float(((logits > 0) & mask).sum() / ((logits > 0) | mask).sum())


def test_colours_mend_a_rough_mask(network: PromptableNet) -> None:
    for seed in range(4):
        pixels, mask = star(0.3, seed)
        logits = rough(mask)
        refined = network.refiner(logits, DOUBTED, pixels, torch.ones(1, 1, 64, 64))
        assert iou(refined, mask) > iou(logits, mask) + 0.05


def test_colours_that_tell_nothing_leave_a_mask_nearly_as_it_is(network: PromptableNet) -> None:
    pixels, mask = star(0.0, 0)
    logits = rough(mask)
    refined = network.refiner(logits, DOUBTED, pixels, torch.ones(1, 1, 64, 64))
    assert iou(refined, logits > 0) > 0.9


def test_a_mask_that_is_sure_to_be_right_stays(network: PromptableNet) -> None:
    pixels, mask = star(0.3, 0)
    logits = rough(mask)
    assert torch.equal(network.refiner(logits, torch.ones(1), pixels, torch.ones(1, 1, 64, 64)), logits)


def test_an_answer_is_better_for_it(network: PromptableNet, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels, mask = star(0.3, 0)
    features = network.encode(pixels[0])
    box = torch.tensor([[20.0, 20.0, 108.0, 108.0]])
    refined, _ = network.decode(features, boxes=box)
    monkeypatch.setattr(network.refiner, "forward", lambda logits, expected, pixels, valid: logits)
    plain, _ = network.decode(features, boxes=box)
    assert iou(refined[:, 0], mask) > iou(plain[:, 0], mask)


def test_a_new_one_changes_nothing() -> None:
    pixels, mask = star(0.3, 0)
    logits = rough(mask)
    assert torch.equal(Refiner()(logits, DOUBTED, pixels, torch.ones(1, 1, 64, 64)), logits)


def test_evidence_is_what_the_colours_are() -> None:
    mask = torch.zeros(1, 1, 64, 64)
    mask[:, :, 16:48, 16:48] = 1
    likeness = torch.cat([mask * 0.9, 1 - mask * 0.9], 1)
    found = evidence(mask, likeness)
    assert found.shape == (1, 3, 64, 64)
    assert (found[:, :, 20:44, 20:44] > 1).all()
    assert (found[:, :, :8] < 0).all()


def test_what_lies_beyond_the_picture_does_not_count() -> None:
    pixels, mask = star(0.3, 0)
    valid = torch.ones(1, 1, 64, 64)
    valid[..., 48:] = 0
    other = pixels.clone()
    other[..., 96:] = 0.9
    ours, theirs = (facts(rough(mask), one, valid)[..., :46] for one in (pixels, other))
    assert torch.allclose(ours, theirs, atol=1e-5)
