"""Answers to a batch of requests, each of which fails alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from metier_contracts import (
    ModelCard,
    Request,
    Segment,
    Segmentation,
)
from metier_contracts.authoring import unsupported
from numpy.typing import NDArray


def segment_of(request: Request[Any], card: ModelCard) -> Segment:
    """Return the request if it is one to segment; else raise `UnsupportedError`."""
    if not isinstance(request, Segment):
        raise unsupported(request, card)
    return request


def segmentation(masks: NDArray[np.bool_], scores: NDArray[np.float32]) -> Segmentation:
    """Return the answer with masks [M, H, W] and their scores [M]; its boxes are drawn around the masks."""
    return Segmentation(masks=masks, scores=scores, boxes=boxes_around(masks))


def boxes_around(masks: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the least boxes float32 [M, 4] around masks [M, H, W]; of an empty mask, zeros.

    Left, top, right, bottom: pixel x covers x to x + 1, so that a mask of one pixel has a box of one pixel.
    """
    boxes = np.zeros((len(masks), 4), dtype=np.float32)
    for box, mask in zip(boxes, masks, strict=True):
        columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
        if columns.size:
            box[:] = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    return boxes
