"""Pictures that no training saw, with masks, each from what pip brings: see the docstring of each for its truth."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage
from skimage import data, filters, segmentation

from benchmarks.corpus import member

Mask = NDArray[np.bool_]
Pixels = NDArray[np.uint8]
_LEAST_AREA = 64
_RGB = 3
_NUCLEI = (
    (
        "stardist==0.9.2",
        "stardist/data/images/img2d.tif",
        "f9ccc1571b92c861ff87e28463068b43f61bd47357ed0503f711e5cd1eb97750",
    ),
    (
        "stardist==0.9.2",
        "stardist/data/images/mask2d.tif",
        "59ad5e820b7982ca9d13e946fa6e7f64e2714899e00a2ae6c69aa79aad53d46f",
    ),
)


@dataclass(frozen=True, slots=True)
class Case:
    """A picture, RGB uint8 [H, W, 3], and the masks of the objects to ask for, bool [H, W]."""

    pixels: Pixels
    masks: tuple[Mask, ...]


def nuclei() -> Iterator[Case]:
    """Yield the fluorescence picture of stardist 0.9.2; truth: the label image beside it, slivers (< 64 px) apart."""
    pixels, labels = (np.asarray(Image.open(io.BytesIO(member(*one)))) for one in _NUCLEI)
    yield Case(_rgb(np.clip(pixels, 0, 255)), _masks(labels))


def coins() -> Iterator[Case]:
    """Yield skimage's coins; truth: the watershed of its user guide (Sobel, markers at 30 and 150), holes filled."""
    grey = data.coins()
    markers = np.where(grey < 30, 1, np.where(grey > 150, 2, 0))
    regions = segmentation.watershed(filters.sobel(grey), markers)
    labels, _ = ndimage.label(ndimage.binary_fill_holes(regions == 2))
    yield Case(_rgb(grey), tuple(mask for mask in _masks(labels) if mask.sum() > 600))


def horses() -> Iterator[Case]:
    """Yield skimage's silhouette of a horse, cut from one photograph and laid on another; truth: the silhouette."""
    rng = np.random.default_rng(20)
    horse = Image.fromarray(np.where(data.horse(), 0, 255).astype(np.uint8))
    for number in range(24):
        size = int(rng.integers(70, 240))
        shape = horse.rotate(rng.uniform(-25, 25), expand=True, resample=Image.Resampling.BILINEAR)
        shape.thumbnail((size, size))
        if number % 2:
            shape = shape.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        yield _laid(rng, [shape])


def glyphs() -> Iterator[Case]:
    """Yield letters of DejaVu (training: Aileron), cut and laid likewise; truth: the letters."""
    rng = np.random.default_rng(21)
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for name in ("Sans", "Sans-Bold", "Serif", "Serif-Bold", "SansMono", "Serif-Italic"):
        for _ in range(2):
            letters = rng.choice(list("ABCDEGHKMNPQRSTVWXYZabdeghkmnqrstwy2345689&@"), 6, replace=False)
            yield _laid(
                rng, [_letter(folder / f"DejaVu{name}.ttf", str(one), int(rng.integers(30, 120))) for one in letters]
            )


def page() -> Iterator[Case]:
    """Yield skimage's photograph of a printed page; truth: Sauvola's threshold (window 25), letters of 20 px up."""
    grey = data.page()
    labels, _ = ndimage.label(grey < filters.threshold_sauvola(grey, window_size=25))
    boxes = ndimage.find_objects(labels)
    sizes = np.bincount(labels.ravel())
    # Ruled lines and letters that run into each other are no letters.
    letters = [n for n, box in enumerate(boxes, 1) if sizes[n] >= 20 and max(s.stop - s.start for s in box) <= 24]
    yield Case(_rgb(grey), tuple(labels == number for number in letters))


SETS: Mapping[str, Callable[[], Iterator[Case]]] = {
    "nuclei": nuclei,
    "coins": coins,
    "horses": horses,
    "glyphs": glyphs,
    "page": page,
}


def _masks(labels: NDArray[np.integer]) -> tuple[Mask, ...]:
    masks = (labels == number for number in np.unique(labels) if number)
    return tuple(mask for mask in masks if mask.sum() >= _LEAST_AREA)


def _rgb(grey: NDArray[np.number]) -> Pixels:
    return np.repeat(grey.astype(np.uint8)[..., None], _RGB, 2)


def _letter(font: Path, sign: str, size: int) -> Image.Image:
    drawn = Image.new("L", (2 * size, 2 * size))
    ImageDraw.Draw(drawn).text((size, size), sign, 255, ImageFont.truetype(str(font), size), anchor="mm")
    return drawn.crop(drawn.getbbox())


def _laid(rng: np.random.Generator, shapes: list[Image.Image]) -> Case:
    """Lay shapes, filled from one photograph, on another: where they do not meet, on 300 x 420 pixels."""
    photographs = [data.brick, data.grass, data.gravel, data.chelsea, data.coffee, data.astronaut]
    ground, filling = rng.choice(len(photographs), 2, replace=False)
    pixels = _crop(rng, photographs[ground]()).astype(np.float32)
    inside = _crop(rng, photographs[filling]())
    taken, masks = np.zeros(pixels.shape[:2], bool), []
    for shape in shapes:
        alpha = np.zeros(taken.shape, np.float32)
        across, down = rng.integers(0, 420 - shape.width), rng.integers(0, 300 - shape.height)
        alpha[down : down + shape.height, across : across + shape.width] = np.asarray(shape) / 255
        mask = alpha > 0.5
        if not (ndimage.binary_dilation(mask, iterations=3) & taken).any():
            pixels += alpha[..., None] * (inside - pixels)
            taken |= mask
            masks.append(mask)
    return Case(pixels.round().astype(np.uint8), tuple(masks))


def _crop(rng: np.random.Generator, photograph: NDArray[np.uint8]) -> Pixels:
    rgb = photograph if photograph.ndim == _RGB else _rgb(photograph)
    down, across = rng.integers(0, rgb.shape[0] - 299), rng.integers(0, max(1, rgb.shape[1] - 419))
    return rgb[down : down + 300, across : across + 420]
