"""Prompts, and how one is drawn into its window as maps that the decoder reads beside the features."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from metier_sam.promptable.network import STRIDE, WINDOW

NO_POINT = -1
"""The label of a row that pads `points`."""
_SIDE = WINDOW // STRIDE
_NEAR, _FAR, _EDGE = 2.5, 12.0, 16.0
_SURE = 4.0


@dataclass(frozen=True, slots=True)
class Prompts:
    """N prompts in pixels of one frame, whose origin is the upper left corner of its first pixel.

    Attributes:
        points: float [N, P, 2], x and y.
        labels: int64 [N, P]: 1 on the object, 0 off it, -1 padding.
        boxes: float [N, 4], x0, y0, x1, y1; NaN where a prompt has none.
        masks: float [N, h, w], logits of an earlier mask over the whole frame; NaN where a prompt has none.
    """

    points: Tensor
    labels: Tensor
    boxes: Tensor
    masks: Tensor

    def some(self, numbers: list[int]) -> Prompts:
        """Return the prompts of these numbers, in this order."""
        return Prompts(self.points[numbers], self.labels[numbers], self.boxes[numbers], self.masks[numbers])


def draw(prompts: Prompts, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Return the maps, float [M, 11, 64, 64], and the focus, float [M, 1, 64, 64], of prompts in pixels of windows.

    The focus is what the prompt points at: the clicks on the object, else the middle of the box, else the earlier mask.

    Args:
        prompts: M prompts, whose masks are [M, 64, 64].
        valid: float [M, 1, 64, 64], 1 inside the picture and 0 beyond its edges.
    """
    centres = (torch.arange(_SIDE, device=valid.device, dtype=torch.float32) + 0.5) * STRIDE
    on, off = (_clicks(prompts, label, centres) for label in (1, 0))
    box, middle = _box(prompts.boxes, centres)
    has_mask = prompts.masks.isfinite().all(2).all(1)[:, None, None]
    mask = prompts.masks.nan_to_num(0.0).clamp(-_SURE, _SURE) / _SURE
    maps = torch.cat([on, off, box, torch.stack([mask, has_mask.expand_as(mask)], 1), valid], 1)
    clicked = (prompts.labels == 1).any(1)[:, None, None]
    boxed = prompts.boxes.isfinite().all(1)[:, None, None]
    focus = torch.where(clicked, on[:, 0], torch.where(boxed, middle, (mask * _SURE).sigmoid() * has_mask))
    return maps, focus.unsqueeze(1)


def _clicks(prompts: Prompts, label: int, centres: Tensor) -> Tensor:
    """Return the nearness to the clicks of `label`, sharp and wide, float [M, 2, 64, 64]."""
    offsets = prompts.points[:, :, :, None] - centres
    squares = offsets[:, :, 0, None, :] ** 2 + offsets[:, :, 1, :, None] ** 2
    absent = (prompts.labels != label)[:, :, None, None]
    nearest = squares.masked_fill(absent, 1e6).amin(1)
    return torch.stack([torch.exp(-nearest / (2 * _NEAR**2)), torch.exp(-nearest.sqrt() / _FAR)], 1)


def _box(boxes: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
    """Return depth inside the box, place within it across and down, presence, [M, 4, 64, 64], and its middle."""
    present = boxes.isfinite().all(1)[:, None, None]
    x0, y0, x1, y1 = boxes.nan_to_num(0.0)[:, :, None, None].unbind(1)
    x, y = centres[None, None, :], centres[None, :, None]
    depth = torch.minimum(torch.minimum(x - x0, x1 - x), torch.minimum(y - y0, y1 - y)) / _EDGE
    across = (2 * x - x0 - x1) / (x1 - x0).clamp(min=1) + 0 * y
    down = (2 * y - y0 - y1) / (y1 - y0).clamp(min=1) + 0 * x
    maps = torch.stack([depth.clamp(-2, 2), across.clamp(-2, 2), down.clamp(-2, 2), torch.ones_like(depth)], 1)
    middle = torch.exp(-(across**2 + down**2) * 4)
    return maps * present[:, None], middle * present
