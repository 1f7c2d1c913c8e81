"""Synthetic scenes with masks known by construction: the only pictures that the network is trained on."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from shapes import Mask, Place, any_shape, blob, ellipse, glyph
from textures import Grey, any_texture, cloud, grid, leaves

SIDE = 192
"""Side of a scene: larger than the window of 128 pixels that is cut from it, so that objects run out of windows."""
MOST = 16
"""Masks kept of a scene: one bit each."""
_LEAST_AREA, _LEAST_VISIBLE = 30, 0.35
_RGB = 3
_LIKE_PHOTOGRAPHS = 0.4


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture, uint8 [192, 192, 3], and the masks of its objects, uint16 [192, 192], bit i for object i."""

    pixels: NDArray[np.uint8]
    bits: NDArray[np.uint16]


@dataclass(slots=True)
class _Canvas:
    """A scene while it is drawn: colours, float [side, side, 3], and each object's visible part and whole area."""

    colours: NDArray[np.float32]
    masks: list[Mask] = field(default_factory=list)
    areas: list[int] = field(default_factory=list)

    def lay(self, mask: Mask, colours: NDArray[np.float32], soft: float, parts: frozenset[int] = frozenset()) -> None:
        """Paint an object over the others; those that it is a part of keep the ground under it."""
        near = _surroundings(mask, 3 * soft)
        alpha = ndimage.gaussian_filter(mask[near].astype(np.float32), soft, truncate=3)[..., None]
        self.colours[near] += alpha * (colours[near] - self.colours[near])
        for number, other in enumerate(self.masks):
            if number not in parts:
                other &= ~mask
        self.masks.append(mask.copy())
        self.areas.append(int(mask.sum()))


def _surroundings(mask: Mask, margin: float) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return slice(0), slice(0)
    more = int(margin) + 2
    return slice(max(0, rows[0] - more), rows[-1] + more), slice(max(0, columns[0] - more), columns[-1] + more)


def scene(seed: tuple[int, ...]) -> Scene:
    """Draw the scene of `seed`: the same seed gives the same scene."""
    rng = np.random.default_rng(seed)
    draw = (_objects, _objects, _objects, _cells, _cells, _discs, _writing, _nested)[rng.integers(8)]
    canvas = draw(rng)
    return Scene(_photographed(rng, canvas.colours), _kept(rng, canvas))


def _objects(rng: np.random.Generator) -> _Canvas:
    canvas = _Canvas(_fill(rng))
    for _ in range(rng.integers(1, rng.choice([4, 8, 16]))):
        _add_object(rng, canvas, _place(rng, _radius(rng)))
    return canvas


def _nested(rng: np.random.Generator) -> _Canvas:
    """Draw objects that carry parts: a click on a part may mean either."""
    canvas = _Canvas(_fill(rng))
    for _ in range(rng.integers(1, 4)):
        radius = rng.uniform(25, 60)
        place = _place(rng, radius)
        _add_object(rng, canvas, place)
        whole = len(canvas.masks) - 1
        for _ in range(rng.integers(1, 4)):
            x, y = place.x + rng.normal(0, radius / 3), place.y + rng.normal(0, radius / 3)
            part = any_shape(rng, _place(rng, radius * rng.uniform(0.15, 0.5), x, y)) & canvas.masks[whole]
            canvas.lay(part, _fill(rng), rng.uniform(0.3, 1), frozenset({whole}))
    return canvas


def _cells(rng: np.random.Generator) -> _Canvas:
    """Draw nuclei: many of one size, that touch and overlap, each of a brightness of its own, out of focus."""
    ground = np.repeat((rng.uniform(0.02, 0.2) + cloud(rng, SIDE, 2.5) * rng.uniform(0, 0.03))[..., None], _RGB, 2)
    canvas = _Canvas(ground.astype(np.float32))
    radius, tint = np.exp(rng.uniform(np.log(7), np.log(40))), rng.uniform(0.3, 1, _RGB) ** rng.choice([0, 0, 1])
    brightest, soft = rng.uniform(0.1, 0.8), rng.uniform(0.3, 0.09 * radius + 0.5)
    mottled = cloud(rng, SIDE, 1.6)
    for x, y in _clustered(rng, radius):
        place = _place(rng, radius * rng.uniform(0.7, 1.25), x, y, rng.uniform(0.5, 1))
        u, v = place.local()
        mask = (blob if rng.random() < 0.3 else ellipse)(rng, u, v)
        grey = brightest * np.exp(rng.normal(0, 0.35))
        grey = grey * (1 + np.roll(mottled, rng.integers(0, SIDE)) * rng.uniform(0, 0.25))
        grey = grey * (1 - np.clip(np.hypot(u, v), 0, 1) ** 2 * rng.uniform(-0.1, 0.5)) + ground[..., 0] * 0.5
        if rng.random() < 0.06:
            grey = grey * rng.uniform(2, 5)
        canvas.lay(mask, (grey[..., None] * tint).astype(np.float32), soft)
    canvas.colours += ndimage.gaussian_filter(canvas.colours, (9, 9, 0)) * rng.uniform(0, 0.4)
    if rng.random() < 0.3:
        canvas.colours = 0.95 - canvas.colours
    return canvas


def _discs(rng: np.random.Generator) -> _Canvas:
    """Draw rows of round things with a strong relief, and rims: coins, buttons, fruit."""
    canvas = _Canvas(_fill(rng, rng.uniform(0, 0.08)))
    radius = rng.uniform(12, 55)
    pitch, shift = radius * rng.uniform(2.1, 3), rng.uniform(0, 60, 2)
    base, strength, texture = rng.uniform(0.2, 0.9), rng.uniform(0.05, 0.3), any_texture(rng, SIDE)
    for x in np.arange(shift[0] % pitch, SIDE, pitch):
        for y in np.arange(shift[1] % pitch, SIDE, pitch):
            place = _place(rng, radius * rng.uniform(0.7, 1.05), x, y, rng.uniform(0.85, 1))
            mask = any_shape(rng, place) if rng.random() < 0.15 else _disc(rng, place)
            relief = np.roll(texture, rng.integers(0, SIDE, 2), (0, 1)) * strength + _shading(rng, place)
            colours = (base + rng.normal(0, 0.07) + relief)[..., None] * rng.uniform(0.9, 1.1, _RGB)
            canvas.lay(mask, colours.astype(np.float32), rng.uniform(0.3, 1.2))
            _rim(rng, canvas, mask)
    return canvas


def _disc(rng: np.random.Generator, place: Place) -> Mask:
    """Return a disc whose edge is a little worn."""
    u, v = place.local()
    bearing, worn = np.arctan2(v, u), rng.uniform(0, 0.06)
    edge = 1 + sum(worn / order * np.cos(order * bearing + rng.uniform(0, 6)) for order in range(2, 7))
    return np.hypot(u, v) < edge


def _writing(rng: np.random.Generator) -> _Canvas:
    """Draw lines of letters in one ink, on paper or on a texture."""
    canvas = _Canvas(_fill(rng, rng.uniform(0, 0.1)))
    size, ink = np.exp(rng.uniform(np.log(8), np.log(45))), _fill(rng, rng.uniform(0, 0.08))
    tilt, step = rng.normal(0, 0.1), size * rng.uniform(1.1, 1.7)
    for line in np.arange(rng.uniform(0, size * 2), SIDE, size * rng.uniform(2.2, 3)):
        for x in np.arange(rng.uniform(0, size), SIDE, step):
            place = Place(SIDE, float(x), float(line + (x - SIDE / 2) * tilt), float(size), tilt, 1.0)
            canvas.lay(glyph(rng, *place.local()), ink, rng.uniform(0.3, 0.9))
    return canvas


def _add_object(rng: np.random.Generator, canvas: _Canvas, place: Place) -> None:
    mask = any_shape(rng, place)
    if rng.random() < 0.3:
        offset, depth = rng.normal(0, 4, 2), rng.uniform(0.1, 0.6)
        shadow = ndimage.gaussian_filter(ndimage.shift(mask.astype(np.float32), offset, order=1), rng.uniform(1, 5))
        canvas.colours *= 1 - depth * shadow[..., None]
    colours = _fill(rng) + _shading(rng, place)[..., None]
    if rng.random() < 0.25:
        # The same stuff as what lies around, in another light: the edge is a small step.
        colours = np.roll(canvas.colours, rng.integers(20, 150, 2), (0, 1))
        colours = colours + rng.choice([-1, 1]) * rng.uniform(0.06, 0.3)
    canvas.lay(mask, colours.astype(np.float32), rng.uniform(0.3, 1.3))
    if rng.random() < 0.25:
        _rim(rng, canvas, mask)


def _rim(rng: np.random.Generator, canvas: _Canvas, mask: Mask) -> None:
    edge = mask & ~ndimage.binary_erosion(mask, iterations=int(rng.integers(1, 4)))
    soft = ndimage.gaussian_filter(edge.astype(np.float32), rng.uniform(0.4, 1.5))
    canvas.colours += soft[..., None] * rng.uniform(-0.4, 0.4)


def _fill(rng: np.random.Generator, strength: float | None = None) -> NDArray[np.float32]:
    """Return colours for a ground or an object: of one stuff, of two or three in patches, or as of a photograph."""
    if strength is None and rng.random() < _LIKE_PHOTOGRAPHS:
        return leaves(rng, SIDE)
    colours = _stuff(rng, strength)
    for _ in range(int(rng.choice([0, 0, 0, 1, 2])) if strength is None else 0):
        patches = np.tanh((cloud(rng, SIDE, rng.uniform(1.6, 2.6)) + rng.normal(0, 0.6)) * float(rng.choice([2, 20])))
        colours += (0.5 + 0.5 * patches)[..., None] * (_stuff(rng, strength) - colours)
    return colours


def _stuff(rng: np.random.Generator, strength: float | None) -> NDArray[np.float32]:
    """Return a colour with a gradient and a texture that may shift the hue."""
    if strength is None:
        strength = float(rng.choice([0.0, rng.uniform(0, 0.06), rng.uniform(0.03, 0.25)]))
    colour = np.clip(rng.uniform(0.05, 0.95) + rng.normal(0, rng.choice([0.0, 0.2]), _RGB), 0, 1).astype(np.float32)
    x, y = grid(SIDE)
    slope = (x * rng.normal() + y * rng.normal()) * float(rng.choice([0, 0.1, 0.3]) / SIDE)
    hue = (1 + rng.normal(0, rng.choice([0.0, 0.4]), _RGB)).astype(np.float32)
    colours = colour + (slope - slope.mean())[..., None]
    if strength > 0:
        colours = colours + (any_texture(rng, SIDE) * strength)[..., None] * hue
    result: NDArray[np.float32] = colours.astype(np.float32)
    return result


def _shading(rng: np.random.Generator, place: Place) -> Grey:
    """Return the light on something round."""
    u, v = place.local()
    deep = float(rng.choice([0.0, 0.0, rng.uniform(-0.3, 0.3)]))
    light: Grey = (np.clip(1 - np.hypot(u - rng.normal(0, 0.3), v - rng.normal(0, 0.3)), -0.5, 1) * deep).astype(
        np.float32
    )
    return light


def _radius(rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(np.log(8), np.log(75))))


def _place(
    rng: np.random.Generator,
    radius: float,
    x: float | None = None,
    y: float | None = None,
    squeeze: float | None = None,
) -> Place:
    middle = rng.uniform(0.1 * SIDE, 0.9 * SIDE, 2)
    x, y = middle[0] if x is None else x, middle[1] if y is None else y
    narrow = rng.uniform(0.45, 1) if squeeze is None else squeeze
    # Numbers of Python, since those of numpy would make float64 of every canvas.
    return Place(SIDE, float(x), float(y), float(radius), rng.uniform(0, 2 * np.pi), float(narrow))


def _clustered(rng: np.random.Generator, radius: float) -> NDArray[np.float64]:
    """Return centres: half of them scattered, the others beside an earlier one."""
    count = int(np.clip(rng.uniform(0.15, 0.8) * SIDE**2 / (np.pi * radius**2), 3, 50))
    centres = [rng.uniform(0, SIDE, 2)]
    for _ in range(count - 1):
        beside = centres[rng.integers(len(centres))] + _ray(rng) * radius * rng.uniform(1.1, 2)
        centres.append(beside if rng.random() < 0.5 else rng.uniform(0, SIDE, 2))
    return np.array(centres)


def _ray(rng: np.random.Generator) -> NDArray[np.float64]:
    bearing = rng.uniform(0, 2 * np.pi)
    return np.array([np.cos(bearing), np.sin(bearing)])


def _kept(rng: np.random.Generator, canvas: _Canvas) -> NDArray[np.uint16]:
    """Return the masks worth asking for, at random where there are too many: large enough, and mostly visible."""
    seen = [
        mask
        for mask, area in zip(canvas.masks, canvas.areas, strict=True)
        if mask.sum() >= max(_LEAST_AREA, _LEAST_VISIBLE * area)
    ]
    bits = np.zeros((SIDE, SIDE), np.uint16)
    for number, chosen in enumerate(rng.permutation(len(seen))[:MOST]):
        bits |= seen[chosen].astype(np.uint16) << np.uint16(number)
    return bits


def _photographed(rng: np.random.Generator, colours: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return what a camera makes of it: light, blur, contrast, noise, fewer pixels, compression."""
    if rng.random() < 0.4:
        x, y = grid(SIDE)
        light = (x - SIDE / 2) * rng.normal(0, 0.3) / SIDE + (y - SIDE / 2) * rng.normal(0, 0.3) / SIDE
        colours = colours * np.clip(1 + light + cloud(rng, SIDE, 2.6) * rng.uniform(0, 0.1), 0.2, 2)[..., None]
    if rng.random() < 0.45:
        colours = np.repeat((colours @ rng.dirichlet([3, 3, 3]).astype(np.float32))[..., None], _RGB, 2)
    if rng.random() < 0.5:
        blur = rng.uniform(0.3, rng.choice([1.0, 2.5]))
        colours = ndimage.gaussian_filter(colours, (blur, blur, 0))
    colours = np.clip(colours, 0, 1) ** np.exp(rng.normal(0, 0.3))
    if rng.random() < 0.4:
        span = rng.uniform(0.15, 1)
        colours = colours * span + rng.choice([0.0, rng.uniform(0, 1 - span)])
    if rng.random() < 0.7:
        grains = rng.standard_normal((SIDE, SIDE, 1 if rng.random() < 0.5 else _RGB), dtype=np.float32)
        noise = rng.choice([0.005, rng.uniform(0, 0.03), rng.uniform(0, 0.08)]) * min(1.0, colours.std() * 6)
        colours = colours + grains * noise
    return _stored(rng, Image.fromarray((np.clip(colours, 0, 1) * 255).astype(np.uint8)))


def _stored(rng: np.random.Generator, picture: Image.Image) -> NDArray[np.uint8]:
    # Small objects reach the network enlarged: their windows are smooth, and their noise is in lumps.
    if rng.random() < 0.35:
        fewer = int(SIDE / rng.choice([2.0, 4.0, rng.uniform(1, 3)]))
        small = picture.resize((fewer, fewer), Image.Resampling.BOX)
        grains = rng.normal(0, rng.choice([0.0, rng.uniform(0, 4)]), (fewer, fewer, 1))
        picture = Image.fromarray(np.clip(np.asarray(small) + grains, 0, 255).astype(np.uint8))
        picture = picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    if rng.random() < 0.25:
        memory = io.BytesIO()
        picture.save(memory, "JPEG", quality=int(rng.integers(30, 95)))
        picture = Image.open(memory).convert("RGB")
    return np.array(picture)
