"""Prompts of a request as rows, and their way into a model's frame."""

from __future__ import annotations

from typing import Any

import numpy as np
from metier_contracts import Segment
from metier_sam.prompts import Prompts, mask_logits, to_frame

IMAGE = np.zeros((60, 90, 3), dtype=np.uint8)
BOXES = [[0, 0, 10, 10], [20, 20, 40, 50], [5, 5, 9, 9]]


def asked(**prompt: Any) -> Prompts:
    return Prompts.of(Segment(image=IMAGE, **prompt))


def test_points_are_one_prompt() -> None:
    prompts = asked(points=[[1, 2], [3, 4]])
    assert len(prompts) == 1
    assert prompts.points is not None
    assert prompts.labels is not None
    assert (prompts.points.tolist(), prompts.labels.tolist()) == ([[[1, 2], [3, 4]]], [[1, 1]])


def test_each_box_is_one_and_has_all_points() -> None:
    prompts = asked(boxes=BOXES, points=[[1, 2]], point_labels=[0])
    assert len(prompts) == 3
    assert prompts.points is not None
    assert prompts.labels is not None
    assert (prompts.points.shape, prompts.labels.tolist()) == ((3, 1, 2), [[0], [0], [0]])


def test_a_mask_is_one() -> None:
    assert len(asked(mask=np.ones((60, 90), dtype=np.bool_))) == 1


def test_batches_keep_the_order() -> None:
    prompts = asked(boxes=BOXES, points=[[1, 2]])
    parts = list(prompts.batches(2))
    assert [len(part) for part in parts] == [2, 1]
    assert np.concatenate([part.boxes for part in parts if part.boxes is not None]).tolist() == BOXES


def test_a_grid_is_even() -> None:
    prompts = Prompts.grid(3, (60, 90))
    assert prompts.points is not None
    points = prompts.points[:, 0]
    assert sorted(set(points[:, 0].tolist())) == [15, 45, 75]
    assert sorted(set(points[:, 1].tolist())) == [10, 30, 50]
    assert len(prompts) == 9


def test_points_and_boxes_are_scaled_by_axis() -> None:
    coordinates = np.array([[10.0, 20.0]])
    assert to_frame(coordinates, (60, 90), (120, 90)).tolist() == [[10, 40]]
    assert to_frame(np.tile(coordinates, 2), (60, 90), (120, 90)).tolist() == [[10, 40, 10, 40]]


def test_a_mask_goes_the_way_of_its_picture() -> None:
    mask = np.zeros((60, 90), dtype=np.bool_)
    mask[:, 45:] = True
    logits = mask_logits(mask, (84, 126), 126 + 2, 32)[0, 0]
    assert logits.shape == (32, 32)
    assert (logits[:18, :14] < -9.999).all()  # the left half
    assert (logits[:18, 18:29] > 9.999).all()  # the right half
    assert (logits[22:] < -9.999).all()  # padding
    assert logits.min() >= -10.001
    assert logits.max() <= 10.001
