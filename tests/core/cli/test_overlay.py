"""Masks drawn over their picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from metier.cli.overlay import overlay
from metier_contracts import Segment, Segmentation
from numpy.typing import NDArray

GREY = np.full((100, 200, 3), 100, dtype=np.uint8)


def drawn(masks: list[NDArray[np.bool_]], **prompt: Any) -> NDArray[np.uint8]:
    """Return the pixels of the overlay; each mask has its true box and the score 0.5."""
    boxes = []
    for mask in masks:
        rows, columns = np.nonzero(mask)
        boxes.append([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] if mask.any() else [0] * 4)
    response = Segmentation(
        masks=np.array(masks).reshape(-1, 100, 200),
        scores=np.full(len(masks), 0.5, np.float32),
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
    )
    return np.asarray(overlay(Segment(image=GREY, **(prompt or {"everything": True})), response))


def square(left: int, top: int, right: int, bottom: int) -> NDArray[np.bool_]:
    mask = np.zeros((100, 200), dtype=np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def test_a_mask_is_tinted_and_outlined_and_the_rest_is_left() -> None:
    pixels = drawn([square(50, 20, 150, 90)])
    inside, border = pixels[80, 100].astype(int), pixels[89, 100].astype(int)
    assert (pixels[5, 5] == 100).all()
    assert (inside != 100).any()
    assert (np.abs(border - 100) > np.abs(inside - 100)).any()
    assert (pixels[80, 100] == pixels[70, 110]).all()  # translucent over an even grey is even


def test_small_masks_lie_on_large_ones() -> None:
    small, large = square(90, 60, 110, 80), square(50, 20, 150, 95)
    for masks in ([small, large], [large, small]):
        pixels = drawn(masks)
        assert (pixels[70, 100] != pixels[70, 130]).any()


def test_each_mask_has_its_colour_and_its_score() -> None:
    pixels = drawn([square(10, 10, 90, 90), square(110, 10, 190, 90)])
    assert (pixels[80, 50] != pixels[80, 150]).any()
    assert pixels[10:30, 10:40].max(axis=2).min() < 90  # digits in black
    many = drawn([square(x, 10, x + 14, 90) for x in range(0, 195, 15)])
    assert many.max(axis=2).min() >= 100


def test_the_prompt_is_drawn() -> None:
    pixels = drawn(
        [square(60, 30, 80, 50)],
        boxes=[[50, 20, 150, 90]],
        points=[[120.0, 60.0], [170.0, 50.0]],
        point_labels=[1, 0],
    )
    assert (pixels[20, 60:140] == 255).all()
    red, green = pixels[50, 170].astype(int), pixels[60, 120].astype(int)
    assert red[0] > red[1] + 100
    assert green[1] > green[0] + 100


@pytest.mark.parametrize("box", [[0, 0, 1, 1], [-40, -40, 500, 500], [10, 10, 11, 90]])
def test_boxes_of_any_size(box: list[int]) -> None:
    assert drawn([square(0, 0, 200, 100)], boxes=[box]).shape == GREY.shape


def test_nothing_found() -> None:
    assert (drawn([]) == GREY).all()
    assert (drawn([square(0, 0, 0, 0)]) == GREY).all()
