"""Ways to answer a prompt without any model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_otsu

Mask = NDArray[np.bool_]
Pixels = NDArray[np.uint8]
Box = tuple[int, int, int, int]
"""x0, y0, x1, y1: whole pixels, the last excluded."""


def filled(pixels: Pixels, box: Box) -> Mask:
    """Return the box itself."""
    x0, y0, x1, y1 = box
    mask = np.zeros(pixels.shape[:2], bool)
    mask[y0:y1, x0:x1] = True
    return mask


def ellipse(pixels: Pixels, box: Box) -> Mask:
    """Return the ellipse that the box encloses."""
    x0, y0, x1, y1 = box
    y, x = np.mgrid[: pixels.shape[0], : pixels.shape[1]] + 0.5
    mask: Mask = ((2 * x - x0 - x1) / (x1 - x0)) ** 2 + ((2 * y - y0 - y1) / (y1 - y0)) ** 2 <= 1
    return mask


def threshold_in_box(pixels: Pixels, box: Box) -> Mask:
    """Return the side of Otsu's threshold, found within the box, that the box's border has less of."""
    x0, y0, x1, y1 = box
    crop = pixels[y0:y1, x0:x1].mean(2)
    bright = crop > threshold_otsu(crop) if np.ptp(crop) else np.ones(crop.shape, bool)
    border = np.concatenate([bright[0], bright[-1], bright[:, 0], bright[:, -1]])
    mask = np.zeros(pixels.shape[:2], bool)
    mask[y0:y1, x0:x1] = bright if border.mean() < bright.mean() else ~bright
    return mask


def threshold_at_click(pixels: Pixels, point: tuple[int, int]) -> Mask:
    """Return the connected part under the click of its side of Otsu's threshold, found over the whole picture."""
    x, y = point
    grey = pixels.mean(2)
    bright = grey > threshold_otsu(grey)
    labels, _ = ndimage.label(bright == bright[y, x])
    result: Mask = labels == labels[y, x]
    return result
