"""Answers, and the failures that stand in their place."""

from __future__ import annotations

import numpy as np
from metier_sam.answers import boxes_around, segmentation


def test_boxes_hold_whole_pixels() -> None:
    masks = np.zeros((3, 10, 20), dtype=np.bool_)
    masks[0, 4, 7] = True
    masks[1, 2:9, 5:20] = True
    assert boxes_around(masks).tolist() == [[7, 4, 8, 5], [5, 2, 20, 9], [0, 0, 0, 0]]


def test_no_mask_at_all() -> None:
    answer = segmentation(np.zeros((0, 10, 20), dtype=np.bool_), np.zeros(0, dtype=np.float32))
    assert answer.boxes.shape == (0, 4)
