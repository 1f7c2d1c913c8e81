"""Textures by procedural noise: what backgrounds and objects are filled with."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter
from scipy.spatial import cKDTree

Grey = NDArray[np.float32]


@lru_cache(maxsize=1)
def grid(side: int) -> tuple[Grey, Grey]:
    """Return x and y of the pixel centres, float32 [side, side]."""
    y, x = np.mgrid[:side, :side].astype(np.float32)
    x, y = x + 0.5, y + 0.5
    x.flags.writeable = y.flags.writeable = False
    return x, y


def cloud(rng: np.random.Generator, side: int, fall: float) -> Grey:
    """Return noise whose amplitude falls with frequency to the power `fall`: mean 0, deviation 1."""
    return _shaped(rng, side, lambda radius, _: radius**-fall)


def grain(rng: np.random.Generator, side: int) -> Grey:
    """Return noise of one scale, and often of one direction: grass, gravel, cloth."""
    period = np.exp(rng.uniform(np.log(2.5), np.log(24)))
    narrow = rng.uniform(0.15, 0.6)
    directed, angle = rng.uniform(0, 3) * (rng.random() < 0.5), rng.uniform(0, np.pi)

    def spectrum(radius: Grey, bearing: Grey) -> Grey:
        ring = np.exp(-(np.log(radius * period) ** 2) / (2 * narrow**2))
        result: Grey = ring * np.exp(directed * np.cos(2 * (bearing - angle)))
        return result

    return _shaped(rng, side, spectrum)


def stripes(rng: np.random.Generator, side: int) -> Grey:
    """Return parallel stripes, smooth or sharp, a little bent."""
    x, y = grid(side)
    angle, period = rng.uniform(0, np.pi), np.exp(rng.uniform(np.log(4), np.log(40)))
    bend = cloud(rng, side, 2.5) * rng.uniform(0, 0.8)
    wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period + bend)
    return _unit(np.tanh(wave * rng.choice([0.5, 5.0])))


def bricks(rng: np.random.Generator, side: int) -> Grey:
    """Return rows of bricks, each of a grey of its own, with joints between them."""
    x, y = grid(side)
    height = rng.uniform(8, 36)
    width = height * rng.uniform(1, 3)
    joint = rng.uniform(1, 4)
    row = np.floor(y / height)
    along = x / width + row * rng.choice([0.0, 0.5])
    greys = rng.normal(0, 0.6, (64, 64)).astype(np.float32)
    brick = greys[row.astype(int) % 64, np.floor(along).astype(int) % 64]
    gap = (y % height < joint) | ((along % 1) * width < joint)
    return _unit(np.where(gap, rng.uniform(-3, 3), brick) + cloud(rng, side, 1.0) * rng.uniform(0, 0.5))


def pebbles(rng: np.random.Generator, side: int) -> Grey:
    """Return the cells of scattered points, each of a grey of its own, darker or brighter at their seams."""
    count = int(np.exp(rng.uniform(np.log(20), np.log(500))))
    tree = cKDTree(rng.uniform(0, side, (count, 2)))
    x, y = grid(side)
    found = tree.query(np.stack([x.ravel(), y.ravel()], 1), k=2)
    distances, nearest = np.asarray(found[0]), np.asarray(found[1])
    seam = np.exp(-(distances[:, 1] - distances[:, 0]) / rng.uniform(0.5, 4)).reshape(side, side)
    cells = rng.normal(0, 1, count)[nearest[:, 0]].reshape(side, side)
    return _unit(cells * rng.uniform(0.2, 1) + seam * rng.uniform(-4, 4))


def blotches(rng: np.random.Generator, side: int) -> Grey:
    """Return two greys in irregular patches, as of a camouflage."""
    return _unit(np.tanh(cloud(rng, side, rng.uniform(1.2, 2.5)) * rng.uniform(2, 12)))


def leaves(rng: np.random.Generator, side: int) -> Grey:
    """Return overlapping ellipses of every size in a few colours, as photographs are: float32 [side, side, 3] in 0..1.

    Known as the dead leaves model: its edges and its fall of contrast with frequency are those of natural pictures.
    """
    palette = np.clip(rng.uniform(0.05, 0.95, (rng.integers(2, 7), 1)) + rng.normal(0, 0.15, (1, 3)), 0, 1)
    palette = np.clip(palette + rng.normal(0, 0.12, palette.shape), 0, 1)
    picture = Image.new("RGB", (side, side))
    pen = ImageDraw.Draw(picture)
    least, most = np.exp(rng.uniform(np.log(2), np.log(12))), rng.uniform(30, 120)
    count = int(6 * side**2 / (np.pi * least * most))
    # Areas of one size take as much room as those of any other.
    radii = 1 / np.sqrt(rng.uniform(most**-2.0, least**-2.0, count))
    turn, around = rng.uniform(0, np.pi), np.linspace(0, 2 * np.pi, 16, endpoint=False)
    pen.rectangle((0, 0, side, side), fill=_ink(palette[0]))
    for radius in radii:
        angle, narrow = turn + rng.normal(0, 0.8), rng.uniform(0.3, 1)
        u, v = radius * np.cos(around), radius * narrow * np.sin(around)
        x = rng.uniform(0, side) + u * np.cos(angle) - v * np.sin(angle)
        y = rng.uniform(0, side) + u * np.sin(angle) + v * np.cos(angle)
        colour = palette[rng.integers(len(palette))] + rng.normal(0, 0.05, 3)
        pen.polygon(list(zip(x, y, strict=True)), fill=_ink(colour))
    soft = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 2)))
    return (np.asarray(soft, np.float32) / 255) + (cloud(rng, side, 1.2) * rng.uniform(0, 0.08))[..., None]


def any_texture(rng: np.random.Generator, side: int) -> Grey:
    """Return one of the textures: mean 0, deviation 1, float32 [side, side]."""
    kind = rng.integers(10)
    if kind < 4:
        return cloud(rng, side, rng.uniform(0.3, 2.2))
    return [grain, grain, stripes, bricks, pebbles, blotches][kind - 4](rng, side)


def _ink(colour: NDArray[np.floating]) -> tuple[int, ...]:
    return tuple(int(one) for one in np.clip(colour * 255, 0, 255))


def _shaped(rng: np.random.Generator, side: int, spectrum: Callable[[Grey, Grey], Grey]) -> Grey:
    down = np.fft.fftfreq(side)[:, None].astype(np.float32)
    along = np.fft.rfftfreq(side)[None, :].astype(np.float32)
    radius = np.hypot(down, along)
    radius[0, 0] = 1
    white = np.fft.rfft2(rng.standard_normal((side, side), dtype=np.float32))
    waves = white * spectrum(radius, np.arctan2(down, along))
    waves[0, 0] = 0
    return _unit(np.fft.irfft2(waves, s=(side, side)))


def _unit(values: NDArray[np.floating]) -> Grey:
    result: Grey = ((values - values.mean()) / (values.std() + 1e-6)).astype(np.float32)
    return result
