"""The part of one tone that points lie on, and when there is none."""

from __future__ import annotations

from pathlib import Path

import metier_sam
import numpy as np
import pytest
import torch
from metier_sam.promptable import Features, PromptableNet
from metier_sam.promptable import load as load_network
from metier_sam.promptable.model import _filled, _overlap
from metier_sam.promptable.parts import part_at
from metier_sam.promptable.windows import box_window
from numpy.typing import NDArray

WEIGHTS = Path(metier_sam.__file__).parent / "weights" / "promptable.safetensors"
LETTER = np.s_[40:60, 50:66]


@pytest.fixture(scope="module")
def network() -> PromptableNet:
    return load_network(WEIGHTS)


@pytest.fixture(scope="module")
def letter() -> NDArray[np.bool_]:
    """An E, among others of its kind."""
    mask = np.zeros((100, 120), dtype=np.bool_)
    mask[LETTER] = True
    mask[44:48, 54:66] = mask[52:56, 54:66] = False
    return mask


@pytest.fixture(scope="module")
def features(network: PromptableNet, letter: NDArray[np.bool_]) -> Features:
    page = np.full((100, 120), 220.0) + np.random.default_rng(0).normal(0, 4, (100, 120))
    for shift in (-22, 0, 22):
        page[np.roll(letter, shift, 1)] -= 150
    pixels = torch.from_numpy(page.clip(0, 255)).float().expand(3, -1, -1) / 255
    return network.encode(pixels)


def asked(features: Features, points: list[list[float]], labels: list[int], box: list[float]) -> torch.Tensor | None:
    prompts = _filled(features, torch.tensor([points]), torch.tensor([labels]), None, None)
    return part_at(features, box_window(features, torch.tensor(box)), prompts, 0)


AROUND = [50.0, 40.0, 66.0, 60.0]


def test_a_letter_of_print(features: Features, letter: NDArray[np.bool_]) -> None:
    part = asked(features, [[52.5, 50.5], [60.5, 58.5]], [1, 1], AROUND)
    assert part is not None
    assert _overlap(part, torch.from_numpy(letter)) > 0.85


@pytest.mark.parametrize(
    ("points", "labels"),
    [
        ([[52.5, 50.5], [60.5, 58.5]], [1, 0]),  # off the object, yet on the part
        ([[52.5, 50.5], [46.5, 50.5]], [1, 1]),  # on the object, yet off the part
        ([[52.5, 50.5], [110.5, 90.5]], [1, 1]),  # beyond the window
        ([[46.5, 46.5]], [1]),  # paper: it runs out of the window
    ],
)
def test_no_part(features: Features, points: list[list[float]], labels: list[int]) -> None:
    assert asked(features, points, labels, AROUND) is None


def test_specks_are_none(network: PromptableNet) -> None:
    pixels = torch.full((3, 100, 120), 0.9)
    pixels[:, 50:53, 60:63] = 0.1
    features = network.encode(pixels)
    assert asked(features, [[61.5, 51.5]], [1], [55.0, 45.0, 68.0, 58.0]) is None


def test_a_click_on_a_letter_finds_the_letter(
    network: PromptableNet, features: Features, letter: NDArray[np.bool_]
) -> None:
    logits, _ = network.decode(features, torch.tensor([[[52.5, 50.5]]]), torch.ones(1, 1, dtype=torch.long), count=1)
    assert _overlap(logits[0, 0] > 0, torch.from_numpy(letter)) > 0.7
