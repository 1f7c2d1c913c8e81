"""`Prompts`, what is asked of a picture, `Decoded`, what a model says of it, and the way into the model's frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from metier_contracts import Segment
from numpy.typing import NDArray

# What turns a mask into the logits that a model would have answered it with: SAM 2 feeds masks back as 20 * mask - 10.
_LOGIT = 10.0


@dataclass(frozen=True)
class Prompts:
    """N prompts for one picture, in its pixels.

    `points`: float64 [N, P, 2], x and y, or None. `labels`: int64 [N, P], 1 on the object and 0 off it, or None.
    `boxes`: float64 [N, 4], left, top, right, bottom, or None. `mask`: bool [H, W], the same for all, or None.
    """

    points: NDArray[np.float64] | None = None
    labels: NDArray[np.int64] | None = None
    boxes: NDArray[np.float64] | None = None
    mask: NDArray[np.bool_] | None = None

    @classmethod
    def of(cls, request: Segment) -> Prompts:
        """Return a prompt for each box of a request, else one; its points and its mask belong to each of them."""
        boxes = None if request.boxes is None else request.boxes.astype(np.float64)
        if request.points is None:
            return cls(boxes=boxes, mask=request.mask)
        labels = request.point_labels
        labels = np.ones(len(request.points), np.int64) if labels is None else labels
        count = 1 if boxes is None else len(boxes)
        points = np.repeat(request.points.astype(np.float64)[None], count, axis=0)
        return cls(points, np.repeat(labels[None], count, axis=0), boxes, request.mask)

    @classmethod
    def grid(cls, side: int, size: tuple[int, int]) -> Prompts:
        """Return side * side prompts of one point each, evenly spread over a picture of height and width `size`."""
        steps = (np.arange(side) + 0.5) / side
        x, y = np.meshgrid(steps * size[1], steps * size[0])
        points = np.stack([x.ravel(), y.ravel()], axis=1)[:, None]
        return cls(points, np.ones(points.shape[:2], np.int64))

    def __len__(self) -> int:
        if self.boxes is not None:
            return len(self.boxes)
        return 1 if self.points is None else len(self.points)

    def batches(self, size: int) -> Iterator[Prompts]:
        """Yield the prompts in order, `size` at once."""
        for start in range(0, len(self), size):
            part = slice(start, start + size)
            yield replace(
                self,
                points=None if self.points is None else self.points[part],
                labels=None if self.labels is None else self.labels[part],
                boxes=None if self.boxes is None else self.boxes[part],
            )


class Decoded(NamedTuple):
    """What a model says of N prompts.

    `logits`: float32 [N, C, H, W] at the picture's size, over 0 where the mask is. `scores`: predicted IoU, float32
    [N, C].
    """

    logits: torch.Tensor
    scores: torch.Tensor


def to_frame(coordinates: NDArray[np.float64], size: tuple[int, int], frame: tuple[int, int]) -> NDArray[np.float64]:
    """Return points [..., 2] or boxes [..., 4] of a picture of height and width `size` in the pixels of `frame`."""
    scale = np.array([frame[1] / size[1], frame[0] / size[0]])
    return np.asarray(coordinates * np.tile(scale, coordinates.shape[-1] // 2))


def mask_logits(mask: NDArray[np.bool_], frame: tuple[int, int], side: int, low: int) -> torch.Tensor:
    """Return float32 [1, 1, low, low]: a mask [H, W] as the low-resolution logits that SAM reads.

    The mask goes the way of the picture: it is scaled to height and width `frame`, padded to a square of `side`, and
    reduced to one of `low`. Inside is +10, outside and in the padding -10, and borders lie between.
    """
    interpolate = torch.nn.functional.interpolate
    scaled = interpolate(torch.from_numpy(mask)[None, None].float(), frame, mode="bilinear", antialias=True)
    padded = torch.nn.functional.pad(scaled, (0, side - frame[1], 0, side - frame[0]))
    return (2 * _LOGIT) * interpolate(padded, (low, low), mode="bilinear", antialias=True) - _LOGIT
