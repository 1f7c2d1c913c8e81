"""Masks of shapes, known by construction."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from textures import Grey, cloud, grid

Mask = NDArray[np.bool_]
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789?&@#$%"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a shape lies on a canvas of `side` pixels: centre, radius, angle, and how narrow one axis is."""

    side: int
    x: float
    y: float
    radius: float
    angle: float
    squeeze: float

    def local(self, warp: tuple[Grey, Grey] | None = None) -> tuple[Grey, Grey]:
        """Return the coordinates of each pixel in the shape's own frame, in which it is about 1 in radius."""
        x, y = grid(self.side)
        x, y = x - self.x, y - self.y
        if warp is not None:
            x, y = x + warp[0] * self.radius, y + warp[1] * self.radius
        cos, sin = math.cos(self.angle) / self.radius, math.sin(self.angle) / self.radius
        u: Grey = x * cos + y * sin
        v: Grey = np.asarray((y * cos - x * sin) / self.squeeze, np.float32)
        return u, v


def ellipse(rng: np.random.Generator, u: Grey, v: Grey) -> Mask:
    """Return an ellipse, or one with flatter sides."""
    power = rng.choice([2.0, 2.0, 2.0, rng.uniform(1.5, 6)])
    mask: Mask = np.abs(u) ** power + np.abs(v) ** power < 1
    return mask


def blob(rng: np.random.Generator, u: Grey, v: Grey) -> Mask:
    """Return a closed curve whose radius is a random Fourier series."""
    bearing = np.arctan2(v, u)
    radius = np.full_like(u, 0.8)
    rough = rng.uniform(0.05, 0.45)
    for order in range(2, 8):
        radius += rough * rng.normal() / order * np.cos(order * bearing + rng.uniform(0, 2 * np.pi))
    return np.hypot(u, v) < radius


def polygon(rng: np.random.Generator, u: Grey, v: Grey) -> Mask:
    """Return a polygon, mostly convex, or a star."""
    corners = int(rng.integers(3, 9))
    bearings = np.sort(np.arange(corners) + rng.uniform(-0.3, 0.3, corners)) * 2 * np.pi / corners
    radii = rng.uniform(0.75, 1.1, corners)
    if rng.random() < 0.4:
        bearings = np.arange(2 * corners) * np.pi / corners
        radii = np.where(np.arange(2 * corners) % 2 == 0, 1.0, rng.uniform(0.3, 0.7))
    return _within(u, v, radii * np.cos(bearings), radii * np.sin(bearings))


def crescent(rng: np.random.Generator, u: Grey, v: Grey) -> Mask:
    """Return a disc less a disc beside it."""
    mask: Mask = (np.hypot(u, v) < 1) & (np.hypot(u - rng.uniform(0.4, 0.8), v) > rng.uniform(0.6, 0.95))
    return mask


def ring(rng: np.random.Generator, u: Grey, v: Grey) -> Mask:
    """Return a ring, closed or with a gap; its hole is not part of it."""
    distance = np.hypot(u, v)
    whole = (distance < 1) & (distance > rng.uniform(0.4, 0.8))
    return whole & ((np.abs(np.arctan2(v, u)) > rng.uniform(0.2, 1.2)) | bool(rng.random() < 0.6))


def limbed(rng: np.random.Generator, u: Grey, v: Grey) -> Mask:
    """Return a body with limbs of two bones each: animals, plants, hands."""
    mask: Mask = (u / rng.uniform(0.4, 0.75)) ** 2 + (v / rng.uniform(0.2, 0.5)) ** 2 < 1
    for _ in range(rng.integers(2, 7)):
        start = rng.uniform([-0.5, -0.15], [0.5, 0.15])
        bearing, thickness = rng.uniform(0, 2 * np.pi), rng.uniform(0.05, 0.16)
        for _ in range(2):
            end = start + rng.uniform(0.25, 0.6) * np.array([np.cos(bearing), np.sin(bearing)])
            mask |= _distance(u, v, start, end) < thickness
            start, bearing, thickness = end, bearing + rng.uniform(-0.9, 0.9), thickness * rng.uniform(0.6, 1.1)
    return mask


def curve(rng: np.random.Generator, u: Grey, v: Grey) -> Mask:
    """Return a thick curve that wanders."""
    mask: Mask = np.zeros_like(u, dtype=bool)
    thickness, bearing = rng.uniform(0.05, 0.2), rng.uniform(0, 2 * np.pi)
    start, turn = rng.uniform(-0.6, 0.6, 2), rng.normal(0, 0.4)
    for _ in range(rng.integers(3, 9)):
        end = np.clip(start + 0.4 * np.array([np.cos(bearing), np.sin(bearing)]), -1, 1)
        mask |= _distance(u, v, start, end) < thickness
        start, bearing = end, bearing + turn + rng.normal(0, 0.3)
    return mask


def bars(rng: np.random.Generator, u: Grey, v: Grey) -> Mask:
    """Return two to four bars that cross or meet: crosses, L, T, U, frames."""
    mask: Mask = (np.abs(u) < 1) & (np.abs(v - rng.uniform(-0.6, 0.6)) < rng.uniform(0.1, 0.35))
    for _ in range(rng.integers(1, 4)):
        a, b = (u, v) if rng.random() < 0.3 else (v, u)
        low, high = np.sort(rng.uniform(-1, 1, 2))
        mask |= (a > low - 0.2) & (a < high + 0.2) & (np.abs(b - rng.uniform(-0.8, 0.8)) < rng.uniform(0.1, 0.3))
    return mask


def puddle(rng: np.random.Generator, u: Grey, v: Grey) -> Mask:
    """Return the middle of a thresholded cloud: bays, necks, rough edges."""
    height = cloud(rng, u.shape[0], rng.uniform(1.6, 2.4)) * rng.uniform(0.2, 0.5)
    mask: Mask = np.hypot(u, v) + height < 0.75
    return mask


def glyph(rng: np.random.Generator, u: Grey, v: Grey) -> Mask:
    """Return a letter, digit or sign of the font inside Pillow."""
    sign = str(rng.choice(list(_LETTERS)))
    drawn = Image.new("L", (128, 128))
    bold = int(rng.choice([0, 0, 2, 5]))
    ImageDraw.Draw(drawn).text((64, 64), sign, 255, ImageFont.load_default(110), anchor="mm", stroke_width=bold)
    table = np.asarray(drawn) > 127
    column, row = ((u + 1) * 64).astype(int), ((v + 1) * 64).astype(int)
    inside = (np.abs(u) < 1) & (np.abs(v) < 1)
    mask: Mask = inside & table[np.clip(row, 0, 127), np.clip(column, 0, 127)]
    return mask


_TWICE = (ellipse, blob, polygon, limbed, glyph)
_KINDS = (*_TWICE, *_TWICE, crescent, ring, curve, bars, puddle)


def any_shape(rng: np.random.Generator, place: Place) -> Mask:
    """Return one of the shapes at `place`, bool [side, side], half of them bent."""
    warp = None
    if rng.random() < 0.5:
        strength = rng.uniform(0.02, 0.12)
        warp = cloud(rng, place.side, 2.2) * strength, cloud(rng, place.side, 2.2) * strength
    u, v = place.local(warp)
    return _KINDS[rng.integers(len(_KINDS))](rng, u, v)


def _distance(u: Grey, v: Grey, start: NDArray[np.floating], end: NDArray[np.floating]) -> Grey:
    along = end - start
    length = float(along @ along) + 1e-9
    share = np.clip(((u - start[0]) * along[0] + (v - start[1]) * along[1]) / length, 0, 1)
    result: Grey = np.hypot(u - start[0] - share * along[0], v - start[1] - share * along[1]).astype(np.float32)
    return result


def _within(u: Grey, v: Grey, x: NDArray[np.floating], y: NDArray[np.floating]) -> Mask:
    """Tell by even and odd crossings which points lie within the polygon of corners x, y."""
    inside = np.zeros(u.shape, dtype=bool)
    for x0, y0, x1, y1 in zip(x, y, np.roll(x, -1), np.roll(y, -1), strict=True):
        crosses = (y0 > v) != (y1 > v)
        inside ^= crosses & (u < (x1 - x0) * (v - y0) / (y1 - y0 + 1e-12) + x0)
    return inside
