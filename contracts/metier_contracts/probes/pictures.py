"""Drawn pictures: coloured discs on a ground that shades off, with their boxes known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from metier_contracts.data.image import Image


def discs(pixels: int, number: int) -> tuple[Image, NDArray[np.float32]]:
    """Return a square picture of about so many pixels, and the box float32 [4] of the disc in its middle."""
    side = max(8, round(pixels**0.5))
    random = np.random.default_rng(number)
    rows, columns = np.mgrid[0:side, 0:side]
    canvas = np.stack([rows, columns, side - rows], axis=2) * (120 / side) + 40
    for _ in range(5):
        _draw(canvas, random.uniform(0, side, 2), random.uniform(side / 16, side / 8), random.uniform(60, 255, 3))
    centre, radius = random.uniform(0.4 * side, 0.6 * side, 2), side / 6
    _draw(canvas, centre, radius, random.uniform(60, 255, 3))
    grain = random.normal(0, 4, canvas.shape)
    box = np.concatenate([centre[::-1] - radius, centre[::-1] + radius]).astype(np.float32)
    return Image(pixels=np.clip(canvas + grain, 0, 255).astype(np.uint8)), box


def _draw(canvas: NDArray[np.float64], centre: NDArray[np.float64], radius: float, colour: NDArray[np.float64]) -> None:
    rows, columns = np.mgrid[0 : canvas.shape[0], 0 : canvas.shape[1]]
    canvas[(rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 <= radius**2] = colour
