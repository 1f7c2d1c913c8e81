"""Windows of scenes with prompts and the masks that answer them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from metier_sam.promptable.network import STRIDE, WINDOW
from metier_sam.promptable.prompts import NO_POINT, Prompts
from numpy.typing import NDArray
from pictures import MOST, SIDE, Scene
from scipy import ndimage
from shapes import Mask
from textures import cloud
from torch import Tensor
from torch.utils.data import IterableDataset

PROMPTS = 2
"""Prompts for each window: the features of the window are computed once for all."""
_OF_TARGET = 1
_POINTS = 6
_USUAL = (36, 96)
_BOXED = (14, 112)
_LEAST_SEEN = 24


@dataclass(frozen=True, slots=True)
class Batch:
    """B windows, with two prompts each.

    Attributes:
        pixels: uint8 [B, 3, 128, 128].
        valid: bool [B, 1, 64, 64], inside the picture.
        prompts: 2 B prompts, in pixels of their windows.
        truths: bool [2 B, 128, 128].
        areas: float [2 B], pixels of the whole object, of which a window may hold a part.
    """

    pixels: Tensor
    valid: Tensor
    prompts: Prompts
    truths: Tensor
    areas: Tensor


@dataclass(frozen=True, slots=True)
class _Asked:
    points: list[tuple[float, float, int]]
    box: NDArray[np.floating] | None
    mask: NDArray[np.float32] | None
    truth: Mask
    area: float


class Windows(IterableDataset[Batch]):
    """An endless stream of batches from `scenes`; worker w of the stream `seed` always yields the same ones."""

    def __init__(self, scenes: list[Scene], windows: int, seed: tuple[int, ...]) -> None:
        self.scenes, self.windows, self.seed = scenes, windows, seed

    def __iter__(self) -> Iterator[Batch]:
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng((*self.seed, 0 if worker is None else worker.id))
        while True:
            yield _batch(rng, self.scenes, self.windows)


def _batch(rng: np.random.Generator, scenes: list[Scene], count: int) -> Batch:
    pixels: list[NDArray[np.uint8]] = []
    valid: list[Mask] = []
    asked: list[_Asked] = []
    while len(pixels) < count:
        drawn = _window(rng, scenes[rng.integers(len(scenes))])
        if drawn is not None:
            pixels.append(drawn[0])
            valid.append(drawn[1][::STRIDE, ::STRIDE])
            asked += drawn[2]
    return Batch(
        torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).contiguous(),
        torch.from_numpy(np.stack(valid))[:, None],
        _joined(asked),
        torch.from_numpy(np.stack([one.truth for one in asked])),
        torch.tensor([one.area for one in asked], dtype=torch.float32),
    )


def _joined(asked: list[_Asked]) -> Prompts:
    points = np.zeros((len(asked), _POINTS, 2), np.float32)
    labels = np.full((len(asked), _POINTS), NO_POINT)
    boxes = np.full((len(asked), 4), np.nan, np.float32)
    masks = np.full((len(asked), WINDOW // STRIDE, WINDOW // STRIDE), np.nan, np.float32)
    for number, one in enumerate(asked):
        for place, (x, y, label) in enumerate(one.points[:_POINTS]):
            points[number, place], labels[number, place] = (x, y), label
        if one.box is not None:
            boxes[number] = one.box
        if one.mask is not None:
            masks[number] = one.mask
    return Prompts(*(torch.from_numpy(each) for each in (points, labels, boxes, masks)))


def _window(rng: np.random.Generator, scene: Scene) -> tuple[NDArray[np.uint8], Mask, list[_Asked]] | None:
    """Return pixels, what is valid of them and prompts; None where the scene has no object."""
    pixels, bits = _turned(rng, scene)
    masks = ((bits >> np.uint16(number) & np.uint16(1)).astype(bool) for number in range(MOST))
    objects = [mask for mask in masks if mask.any()]
    if not objects:
        return None
    target = objects[rng.integers(len(objects))]
    box = _tight(target)
    usual = _USUAL[0] <= max(box[2] - box[0], box[3] - box[1]) <= _USUAL[1]
    boxed = usual and rng.random() < 0.7
    middle = (box[:2] + box[2:]) / 2 if boxed else np.array(_click(rng, target)[:2])
    corner = _corner(rng, middle)
    part = np.s_[corner[1] : corner[1] + WINDOW, corner[0] : corner[0] + WINDOW]
    valid = _valid(rng, target[part])
    inside = [one[part] & valid for one in objects]
    seen, area = target[part] & valid, _area(target, part, valid)
    if seen.sum() < _LEAST_SEEN:
        return None
    # Windows lie around their prompts: of the other objects only those are asked for that this one shows in full.
    whole = [(one, one.sum()) for one, all_of_it in zip(inside, objects, strict=True) if one.sum() == all_of_it.sum()]
    others = [whole[rng.integers(len(whole))] if whole else (seen, area) for _ in range(PROMPTS - _OF_TARGET)]
    cut = np.where(valid[..., None], pixels[part], 128).astype(np.uint8)
    return cut, valid, [_ask(rng, *one) for one in [(seen, area)] * _OF_TARGET + others]


def _turned(rng: np.random.Generator, scene: Scene) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    turns, mirrored = int(rng.integers(4)), rng.random() < 0.5
    pixels, bits = np.rot90(scene.pixels, turns), np.rot90(scene.bits, turns)
    if mirrored:
        pixels, bits = pixels[:, ::-1], bits[:, ::-1]
    if rng.random() < 0.3:
        pixels = pixels[..., rng.permutation(3)]
    return (255 - pixels if rng.random() < 0.15 else pixels), bits


def _corner(rng: np.random.Generator, middle: NDArray[np.floating]) -> list[int]:
    # Windows lie around their prompt, but for those at the edge of the picture.
    shift = rng.normal(0, rng.choice([0.5, 0.5, 20.0]), 2)
    wanted = np.round((middle + shift - WINDOW / 2) / STRIDE) * STRIDE
    return [int(one) for one in np.clip(wanted, 0, SIDE - WINDOW)]


def _valid(rng: np.random.Generator, target: Mask) -> Mask:
    """Return which pixels lie in the picture: all of them, or, for one window of eight, a smaller rectangle."""
    valid = np.ones((WINDOW, WINDOW), bool)
    if rng.random() < 0.12:
        low = STRIDE * rng.integers(0, 24, 2)
        high = WINDOW - STRIDE * rng.integers(0, 24, 2)
        valid[:] = False
        valid[low[1] : high[1], low[0] : high[0]] = True
        if (target & valid).sum() < target.sum() / 2:
            valid[:] = True
    return valid


def _area(mask: Mask, part: tuple[slice, slice], valid: Mask) -> float:
    return float(mask.sum() if valid.all() else (mask[part] & valid).sum())


def _ask(rng: np.random.Generator, truth: Mask, area: float) -> _Asked:
    """Return a prompt for the object: a box, points, an earlier mask, or two of these."""
    box = _tight(truth)
    fits = truth.sum() == area and _BOXED[0] <= max(box[2] - box[0], box[3] - box[1]) <= _BOXED[1]
    kind = rng.random()
    wants_box = fits and kind < 0.55
    wants_mask = kind > 0.9 or rng.random() < 0.06
    points = [] if wants_box or (wants_mask and rng.random() < 0.5) else [_click(rng, truth)]
    if rng.random() < 0.15:
        points += [_click(rng, truth) for _ in range(rng.integers(0, 3))]
        points += [_off(rng, truth) for _ in range(rng.integers(0, 3))]
    if not points and not wants_box and not wants_mask:
        points = [_click(rng, truth)]
    if rng.random() < 0.25:
        box = box + rng.normal(0, 0.05, 4) * np.tile(box[2:] - box[:2], 2)
    return _Asked(points, box if wants_box else None, _earlier(rng, truth) if wants_mask else None, truth, area)


def _tight(mask: Mask) -> NDArray[np.floating]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], float)


def _click(rng: np.random.Generator, mask: Mask) -> tuple[float, float, int]:
    """Return a point on the object: the deepest one, or any, the deeper the likelier."""
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1].ravel()
    if rng.random() < 0.5:
        place = int(depth.argmax())
    else:
        place = int(np.searchsorted(np.cumsum(depth), rng.random() * depth.sum(), side="right").clip(0, depth.size - 1))
    return place % mask.shape[1] + 0.5, place // mask.shape[1] + 0.5, 1


def _off(rng: np.random.Generator, mask: Mask) -> tuple[float, float, int]:
    """Return a point off the object, half of the time close to it."""
    where = ~mask
    if rng.random() < 0.5:
        where &= ndimage.binary_dilation(mask, iterations=8)
    places = np.flatnonzero(where)
    if not len(places):
        return 0.5, 0.5, NO_POINT
    place = int(rng.choice(places))
    return place % mask.shape[1] + 0.5, place // mask.shape[1] + 0.5, 0


def _earlier(rng: np.random.Generator, truth: Mask) -> NDArray[np.float32]:
    """Return the logits of a mask as an earlier answer may have been: shifted, rounded, with errors at the edge."""
    soft = ndimage.gaussian_filter(truth.astype(np.float32), rng.uniform(1, 5))
    soft = np.roll(soft, rng.integers(-3, 4, 2), (0, 1)) + cloud(rng, WINDOW, 2.0) * rng.uniform(0, 0.3)
    return ((soft - rng.uniform(0.35, 0.65)) * rng.uniform(4, 16))[::STRIDE, ::STRIDE].astype(np.float32)
