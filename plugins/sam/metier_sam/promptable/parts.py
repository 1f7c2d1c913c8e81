"""The part of one tone that points lie on: what a threshold would answer, as a hint for the network."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from metier_sam.promptable.network import WINDOW
from metier_sam.promptable.prompts import Prompts
from metier_sam.promptable.windows import Features, Window, into, out_of

_LEAST = 12


def part_at(features: Features, window: Window, prompts: Prompts, number: int) -> Tensor | None:
    """Return the part of a window on one side of Otsu's threshold that the points of prompt `number` lie on.

    None where there is no such part: it runs out of the window, has fewer than 12 pixels of the picture, does not hold
    each point on the object, or holds one that is off it.

    Returns:
        bool [H, W], over the whole picture.
    """
    grey, (left, top) = _grey(window)
    moved = into(window, prompts, number, features.size)
    places = moved.points[0].cpu().numpy().astype(int) - (left, top)
    labels = moved.labels[0].cpu().numpy()
    places, labels = places[labels >= 0], labels[labels >= 0]
    if not len(places) or (places < 0).any() or (places >= grey.shape[::-1]).any():
        return None
    part = _connected(grey, places[labels.argmax()])
    least = _LEAST * window.level.scale[0] * window.level.scale[1]
    said = np.array_equal(part[places[:, 1], places[:, 0]], labels == 1)
    if not said or part.sum() < least or _runs_out(part, window, (left, top)):
        return None
    drawn = np.zeros((WINDOW, WINDOW), np.float32)
    drawn[top : top + part.shape[0], left : left + part.shape[1]] = part
    return out_of(window, torch.from_numpy(drawn)[None] - 0.5, features.size)[0].to(moved.points.device) > 0


def _grey(window: Window) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Return the greys of what a window shows of the picture, and where in the window that begins: x and y."""
    left, top = max(0, -window.x), max(0, -window.y)
    shown = window.level.pixels[:, window.y + top : window.y + WINDOW, window.x + left : window.x + WINDOW]
    return shown.float().mean(0).byte().cpu().numpy(), (left, top)


def _connected(grey: NDArray[np.uint8], place: NDArray[np.integer]) -> NDArray[np.bool_]:
    threshold, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    bright = grey > threshold
    x, y = place
    _, parts = cv2.connectedComponents((bright == bright[y, x]).astype(np.uint8), connectivity=4)
    part: NDArray[np.bool_] = parts == parts[y, x]
    return part


def _runs_out(part: NDArray[np.bool_], window: Window, corner: tuple[int, int]) -> bool:
    """Tell whether a part reaches a side at which its window ends before the picture does."""
    (x, y), (height, width) = (window.x + corner[0], window.y + corner[1]), window.level.size
    before = (part[:, 0].any() and x > 0) or (part[0].any() and y > 0)
    after = (part[:, -1].any() and x + part.shape[1] < width) or (part[-1].any() and y + part.shape[0] < height)
    return bool(before or after)
