"""A picture at several scales, and the windows of 128 pixels in which prompts on it are answered."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from metier_sam.promptable.network import STRIDE, WINDOW
from metier_sam.promptable.prompts import Prompts

_LONGEST = 1024
_MOST_ENLARGED = 4
_LARGEST = 100
_SPREAD = 96
_ROOM = 0.02
_SIDE = WINDOW // STRIDE
_MARGIN = 8
OUTSIDE = -16.0
"""The logit of what lies outside of a prompt's window."""


@dataclass(frozen=True, slots=True)
class Level:
    """The picture at one scale.

    Attributes:
        features: float [C, h/2, w/2].
        pixels: uint8 [3, h, w].
        size: height and width, in pixels of the level.
        scale: pixels of the level for one of the picture, across and down.
    """

    features: Tensor
    pixels: Tensor
    size: tuple[int, int]
    scale: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Features:
    """What is kept of a picture: its levels, each half of the one before, and its size (height, width)."""

    levels: tuple[Level, ...]
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Window:
    """A square of 128 pixels of a level: `x` and `y`, even, are its corner, outside where the level is smaller."""

    level: Level
    x: int
    y: int


def sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Return the size of each level of a picture, the largest first.

    The largest has a longest side of 1024 pixels, but enlarges the picture by 4 at most; the smallest is the one in
    which the picture as a whole is an object of the usual size.
    """
    longest = max(height, width)
    largest = min(_MOST_ENLARGED, _LONGEST / longest)
    count = 1 + max(0, math.ceil(math.log2(largest * longest / _LARGEST)))
    scales = [largest / 2**number for number in range(count)]
    return [(max(1, round(height * scale)), max(1, round(width * scale))) for scale in scales]


def resized(pixels: Tensor, size: tuple[int, int]) -> Tensor:
    """Return pixels float [3, H, W] at another size, within a neutral margin that makes it even: [1, 3, h, w]."""
    height, width = size
    smooth = functional.interpolate(pixels[None], size=size, mode="bilinear", align_corners=False, antialias=True)
    return functional.pad(smooth, (_MARGIN, _MARGIN + width % 2, _MARGIN, _MARGIN + height % 2), value=0.5)


def without_margin(features: Tensor) -> Tensor:
    """Return features float [1, C, h, w] of `resized` pixels without those of the margin: [C, h', w']."""
    cut = _MARGIN // STRIDE
    return features[0, :, cut:-cut, cut:-cut]


def as_bytes(pixels: Tensor, size: tuple[int, int]) -> Tensor:
    """Return `resized` pixels float [1, 3, h, w] without the margin, as uint8 [3, *size]."""
    shown = pixels[0, :, _MARGIN : _MARGIN + size[0], _MARGIN : _MARGIN + size[1]]
    return (shown * 255).round().clamp(0, 255).byte()


def windows(features: Features, prompts: Prompts, number: int) -> list[Window]:
    """Return where to answer prompt `number`: one window, or where only points tell of its size, one at each level."""
    region, one = _region(features, prompts, number), sized(prompts, number)
    found = _fitting(features, region, _LARGEST if one else _SPREAD)
    return found[:1] if one else found


def box_window(features: Features, box: Tensor) -> Window:
    """Return the window in which a prompt with a box, float [4], is answered."""
    return _fitting(features, box.tolist(), _LARGEST)[0]


def _fitting(features: Features, region: list[float], most: float) -> list[Window]:
    """Return a window around a region at each level at which it has `most` pixels a side, else at the smallest."""
    x0, y0, x1, y1 = region
    levels = [one for one in features.levels if max((x1 - x0) * one.scale[0], (y1 - y0) * one.scale[1]) <= most]
    return [_around(level, ((x0 + x1) / 2, (y0 + y1) / 2)) for level in levels or features.levels[-1:]]


def sized(prompts: Prompts, number: int) -> bool:
    """Tell whether a prompt says how large its object is: by a box or an earlier mask, or by naming no place at all."""
    boxed, masked = prompts.boxes[number].isfinite().all(), (prompts.masks[number] > 0).any()
    return bool(boxed or masked or not (prompts.labels[number] >= 0).any())


def _region(features: Features, prompts: Prompts, number: int) -> list[float]:
    """Return the rectangle that a prompt tells of: of its box, its mask, or its points, else the whole picture."""
    height, width = features.size
    box, mask = prompts.boxes[number], prompts.masks[number]
    if box.isfinite().all():
        corners: list[float] = box.tolist()
        return corners
    where = (mask > 0).nonzero()
    if len(where):
        across, down = width / mask.shape[1], height / mask.shape[0]
        (top, left), (bottom, right) = where.amin(0).tolist(), where.amax(0).tolist()
        return [left * across, top * down, (right + 1) * across, (bottom + 1) * down]
    labels = prompts.labels[number]
    points = prompts.points[number][labels == 1 if (labels == 1).any() else labels >= 0]
    if not len(points):
        return [0.0, 0.0, float(width), float(height)]
    return [*points.amin(0).tolist(), *points.amax(0).tolist()]


def _around(level: Level, middle: tuple[float, float]) -> Window:
    corners = []
    for centre, scale, length in zip(middle, level.scale, (level.size[1], level.size[0]), strict=True):
        wanted = centre * scale - WINDOW / 2
        spare = length - WINDOW
        place = min(max(wanted, 0), spare) if spare > 0 else spare / 2
        corners.append(STRIDE * round(place / STRIDE))
    return Window(level, corners[0], corners[1])


def cut(window: Window) -> tuple[Tensor, Tensor]:
    """Return a window's features, float [C, 64, 64], and which of them lie in the picture, float [1, 64, 64]."""
    features = window.level.features
    left, top = window.x // STRIDE, window.y // STRIDE
    height, width = features.shape[1:]
    found = features[:, max(0, top) : top + _SIDE, max(0, left) : left + _SIDE]
    before = (max(0, -left), max(0, -top))
    after = (max(0, left + _SIDE - width), max(0, top + _SIDE - height))
    padding = (before[0], after[0], before[1], after[1])
    return functional.pad(found, padding), functional.pad(torch.ones_like(found[:1]), padding)


def pixels_of(window: Window) -> Tensor:
    """Return a window's pixels, float [3, 128, 128] in 0..1, neutral beyond the edges of the picture."""
    pixels = window.level.pixels
    left, top = max(0, -window.x), max(0, -window.y)
    found = pixels[:, window.y + top : window.y + WINDOW, window.x + left : window.x + WINDOW]
    right, bottom = WINDOW - left - found.shape[2], WINDOW - top - found.shape[1]
    return functional.pad(found.float() / 255, (left, right, top, bottom), value=0.5)


def into(window: Window, prompts: Prompts, number: int, size: tuple[int, int]) -> Prompts:
    """Return prompt `number` alone, moved from pixels of the picture of `size` into pixels of the window."""
    scale = prompts.points.new_tensor(window.level.scale)
    corner = prompts.points.new_tensor([window.x, window.y])
    return Prompts(
        prompts.points[number : number + 1] * scale - corner,
        prompts.labels[number : number + 1],
        box_into(window, prompts.boxes[number : number + 1]),
        _mask_into(window, prompts.masks[number], size)[None],
    )


def box_into(window: Window, boxes: Tensor) -> Tensor:
    """Return boxes float [N, 4] in pixels of the picture in those of the window."""
    scale, corner = boxes.new_tensor(window.level.scale), boxes.new_tensor([window.x, window.y])
    return boxes * scale.repeat(2) - corner.repeat(2)


def _mask_into(window: Window, mask: Tensor, size: tuple[int, int]) -> Tensor:
    if not mask.isfinite().all() or not mask.numel():
        return mask.new_full((_SIDE, _SIDE), math.nan)
    centres = (torch.arange(_SIDE, device=mask.device, dtype=mask.dtype) + 0.5) * STRIDE
    x = (centres + window.x) / window.level.scale[0] / size[1] * 2 - 1
    y = (centres + window.y) / window.level.scale[1] / size[0] * 2 - 1
    return _sampled(mask[None], x, y)[0]


def out_of(window: Window, logits: Tensor, size: tuple[int, int]) -> Tensor:
    """Return a window's logits, float [K, 128, 128], as those of the whole picture, float [K, H, W]."""
    height, width = size
    x = _in_window(width, window.x, window.level.scale[0], logits)
    y = _in_window(height, window.y, window.level.scale[1], logits)
    columns, rows = (x.abs() <= 1).nonzero().flatten(), (y.abs() <= 1).nonzero().flatten()
    result = logits.new_full((len(logits), height, width), OUTSIDE)
    if len(columns) and len(rows):
        part = _sampled(logits, x[columns], y[rows])
        result[:, int(rows[0]) : int(rows[-1]) + 1, int(columns[0]) : int(columns[-1]) + 1] = part
    return result


def within(box: Tensor, logits: Tensor) -> Tensor:
    """Return logits float [K, H, W] with those outside of the box, and a fiftieth of its sides around it, put low."""
    height, width = logits.shape[1:]
    x0, y0, x1, y1 = box
    x, y = (torch.arange(length, device=logits.device) + 0.5 for length in (width, height))
    columns = (x >= x0 - (x1 - x0) * _ROOM) & (x <= x1 + (x1 - x0) * _ROOM)
    rows = (y >= y0 - (y1 - y0) * _ROOM) & (y <= y1 + (y1 - y0) * _ROOM)
    return logits.masked_fill(~(rows[:, None] & columns), OUTSIDE)


def _in_window(length: int, corner: int, scale: float, like: Tensor) -> Tensor:
    """Return the picture's pixel centres along one axis, with the window from -1 to 1."""
    centres = torch.arange(length, device=like.device, dtype=like.dtype) + 0.5
    return (centres * scale - corner) / WINDOW * 2 - 1


def _sampled(values: Tensor, x: Tensor, y: Tensor) -> Tensor:
    places = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)
    return functional.grid_sample(values[None], places[None], padding_mode="border", align_corners=False)[0]
