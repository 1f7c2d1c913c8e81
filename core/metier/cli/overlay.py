"""Masks drawn over their picture, for people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from metier_contracts import Segment, Segmentation
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]

# Told apart on photographs, and by most people who confuse red and green.
_COLOURS: Sequence[Colour] = (
    (255, 128, 14),
    (0, 168, 232),
    (240, 228, 66),
    (214, 39, 140),
    (44, 200, 120),
    (148, 103, 255),
    (255, 87, 87),
    (120, 220, 232),
)
_FILL = 0.45
_MOST_LABELS = 12
_BLACK, _WHITE, _ON, _OFF = (0, 0, 0), (255, 255, 255), (40, 200, 80), (230, 40, 40)


def overlay(request: Segment, response: Segmentation) -> Image.Image:
    """Return the picture, in its own size, with masks in translucent colours, their outlines, and the prompt.

    Small masks lie on top of large ones. Prompted boxes are white frames, points on the object green, points off it
    red. Up to twelve masks bear their scores.
    """
    pixels = request.image.pixels.astype(np.float32)
    line = max(1, round(min(pixels.shape[:2]) / 250))
    for index in np.argsort([-mask.sum() for mask in response.masks], kind="stable"):
        mask, colour = response.masks[index], np.array(_colour(int(index)), np.float32)
        pixels[mask] += _FILL * (colour - pixels[mask])
        pixels[_outline(mask, line)] = colour
    picture = Image.fromarray(pixels.round().astype(np.uint8))
    _draw_prompt(ImageDraw.Draw(picture), request, line)
    if len(response.masks) <= _MOST_LABELS:
        _draw_scores(ImageDraw.Draw(picture), response, size=max(11, 6 * line))
    return picture


def _colour(index: int) -> Colour:
    return _COLOURS[index % len(_COLOURS)]


def _outline(mask: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    """Return the pixels of a mask that lie within `width` of its border; the picture's own border is none."""
    inner = mask
    for _ in range(width):
        padded = np.pad(inner, 1, mode="edge")
        inner = inner & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask & ~inner


def _draw_prompt(draw: ImageDraw.ImageDraw, request: Segment, line: int) -> None:
    for left, top, right, bottom in () if request.boxes is None else request.boxes.tolist():
        for inset, colour in ((line, _BLACK), (0, _WHITE)):
            x, y = left + inset, top + inset
            draw.rectangle((x, y, max(x, right - 1 - inset), max(y, bottom - 1 - inset)), outline=colour, width=line)
    if request.points is None:
        return
    labels = np.ones(len(request.points)) if request.point_labels is None else request.point_labels
    for (x, y), label in zip(request.points.tolist(), labels, strict=True):
        for radius, colour in ((3 * line + 1, _WHITE), (2 * line + 1, _ON if label else _OFF)):
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _draw_scores(draw: ImageDraw.ImageDraw, response: Segmentation, size: int) -> None:
    font = ImageFont.load_default(size)
    for index, (score, box) in enumerate(zip(response.scores, response.boxes.tolist(), strict=True)):
        if response.masks[index].any():
            corner, text = (box[0] + size // 4, box[1] + size // 4), f"{score:.2f}"
            left, top, right, bottom = draw.textbbox(corner, text, font=font)
            draw.rectangle((left - 2, top - 2, right + 1, bottom + 1), fill=_colour(index))
            draw.text(corner, text, fill=_BLACK, font=font)
