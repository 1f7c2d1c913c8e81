"""Loader `grabcut`: the classic of Rother, Kolmogorov and Blake (2004), by OpenCV. It needs no weights."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import cv2
import numpy as np
from metier_contracts import (
    CallContext,
    DeviceError,
    InputError,
    MetierError,
    ModelCard,
    Placement,
    Request,
    Response,
    Segment,
    Segmentation,
    UnsupportedError,
)
from metier_contracts.authoring import attempt, read_options
from numpy.typing import NDArray

from metier_sam.answers import boxes_around, segment_of, segmentation
from metier_sam.options import GrabCutOptions
from metier_sam.prompts import Prompts

Trimap = NDArray[np.uint8]
Window = tuple[slice, slice]

_NO_RECTANGLE = (0, 0, 0, 0)
_OUTSIDE, _INSIDE, _PERHAPS_OUTSIDE, _PERHAPS_INSIDE = cv2.GC_BGD, cv2.GC_FGD, cv2.GC_PR_BGD, cv2.GC_PR_FGD


class GrabCut:
    """Colours of object and surroundings as two mixtures of Gaussians, and the cut of a graph between them.

    It estimates no IoU. In place of one, the score of a box is the IoU of the box around the mask with it, since an
    object reaches the sides of its box; without a box, it is the IoU of the mask with that of the first iteration.
    """

    device = "cpu"
    dtype = None

    def __init__(self, card: ModelCard, options: GrabCutOptions) -> None:
        self.card = card
        self._options = options

    def infer(self, requests: Sequence[Request[Any]], context: CallContext) -> Sequence[Response | MetierError]:
        """Answer each request, in order; checks `context` before each iteration."""
        return [attempt(partial(self._answer, request, context)) for request in requests]

    def _answer(self, request: Request[Any], context: CallContext) -> Segmentation:
        asked = segment_of(request, self.card)
        if asked.everything:
            raise UnsupportedError(
                f"{self.card.id} finds only what it is shown",
                expected="points, boxes or a mask",
                got="everything=True",
                blame="everything of the request",
                hint="choose a model whose card says prompts = [..., 'everything']",
            )
        found = [self._cut(asked, prompt, context) for prompt in Prompts.of(asked).batches(1)]
        return segmentation(np.stack([mask for mask, _ in found]), np.array([iou for _, iou in found], np.float32))

    def _cut(self, request: Segment, prompt: Prompts, context: CallContext) -> tuple[NDArray[np.bool_], float]:
        """Return the mask of one prompt, bool [H, W], and its score."""
        trimap = self._trimap(prompt, (request.image.height, request.image.width))
        window = self._window(prompt, trimap.shape)
        part = trimap[window].copy()
        _check_sides(part)
        settled = self._fit(np.ascontiguousarray(request.image.pixels[window]), part, context)
        mask = np.zeros(trimap.shape, dtype=np.bool_)
        mask[window] = _inside(part)
        if prompt.boxes is not None:
            around = np.zeros_like(mask)
            around[_pixels_of(boxes_around(mask[None])[0], mask.shape)] = mask.any()
            return mask, _iou(around, trimap != _OUTSIDE)
        return _connected(mask, trimap == _INSIDE) if prompt.mask is None else mask, settled

    def _fit(self, pixels: NDArray[np.uint8], trimap: Trimap, context: CallContext) -> float:
        """Settle in `trimap` what is open there; return the IoU of the first iteration's mask with the last one's."""
        # The mixtures are begun from a random clustering.
        cv2.setRNGSeed((context.seed or 0) % 2**31)
        surroundings, thing = np.zeros((1, 65)), np.zeros((1, 65))
        context.check()
        cv2.grabCut(pixels, trimap, _NO_RECTANGLE, surroundings, thing, 1, cv2.GC_INIT_WITH_MASK)
        first = _inside(trimap)
        for _ in range(1, self._options.iterations):
            context.check()
            cv2.grabCut(pixels, trimap, _NO_RECTANGLE, surroundings, thing, 1, cv2.GC_EVAL)
        return _iou(_inside(trimap), first)

    def _trimap(self, prompt: Prompts, size: tuple[int, int]) -> Trimap:
        """Return what the prompt says of each pixel: surely or perhaps, on the object or off it."""
        inside = np.full(size, _PERHAPS_OUTSIDE, np.uint8)
        if prompt.mask is not None:
            inside[prompt.mask] = _PERHAPS_INSIDE
        elif prompt.boxes is not None:
            inside[:] = _PERHAPS_INSIDE
        trimap = inside
        if prompt.boxes is not None:
            trimap = np.full(size, _OUTSIDE, np.uint8)
            box = _pixels_of(prompt.boxes[0], size)
            trimap[box] = inside[box]
        if prompt.points is not None and prompt.labels is not None:
            for (x, y), label in zip(prompt.points[0], prompt.labels[0], strict=True):
                value = _INSIDE if label else _OUTSIDE
                cv2.circle(trimap, (int(x), int(y)), self._options.seed_radius, value, thickness=-1)
        return trimap

    def _window(self, prompt: Prompts, size: tuple[int, ...]) -> Window:
        """Return the part of the picture that is looked at: a box with its margin, else all."""
        if prompt.boxes is None:
            return slice(0, size[0]), slice(0, size[1])
        left, top, right, bottom = prompt.boxes[0]
        margin = self._options.margin * max(right - left, bottom - top)
        return _pixels_of(np.array([left - margin, top - margin, right + margin, bottom + margin]), size)

    def resident_bytes(self) -> int:
        """Return 0: nothing is kept."""
        return 0

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


def load(card: ModelCard, placement: Placement) -> GrabCut:
    """Return the model of `card`."""
    options = read_options(GrabCutOptions, card)
    if placement.device != "cpu":
        raise DeviceError(f"{card.id} runs on the CPU alone", expected="cpu", got=placement.device)
    return GrabCut(card, options)


def _pixels_of(box: NDArray[np.float64], size: tuple[int, ...]) -> Window:
    """Return rows and columns of the pixels that a box touches, at least one of each."""
    left, top = np.floor(box[:2]).astype(int).clip(0, (size[1] - 1, size[0] - 1))
    right, bottom = np.ceil(box[2:]).astype(int)
    return slice(top, min(max(bottom, top + 1), size[0])), slice(left, min(max(right, left + 1), size[1]))


def _check_sides(trimap: Trimap) -> None:
    """Raise where there is nothing to learn the colours of one side from."""
    inside = _inside(trimap)
    if inside.all() or not inside.any():
        missing = "surroundings" if inside.all() else "object"
        raise InputError(
            f"the prompt shows no pixel of the {missing}",
            expected="pixels on the object and others off it",
            got=f"{int(inside.sum())} of {inside.size} pixels shown as the object",
            blame="the prompt of the request",
            hint="draw the box a little smaller than the picture, and points or a mask within the box",
        )


def _inside(trimap: Trimap) -> NDArray[np.bool_]:
    return np.asarray((trimap == _INSIDE) | (trimap == _PERHAPS_INSIDE))


def _connected(mask: NDArray[np.bool_], seeds: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the parts of a mask that hold a seed: points alone do not mean all that has their colour."""
    _, parts = cv2.connectedComponents(mask.astype(np.uint8))
    return np.isin(parts, parts[mask & seeds]) & mask


def _iou(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float((one & other).sum() / max((one | other).sum(), 1))
