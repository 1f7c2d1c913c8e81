"""Answers, and the failures that stand in their place."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from metier_contracts import Cancelled, DeadlineExceeded, InferenceError, InputError, MetierError
from metier_sam.answers import attempt, boxes_around, segmentation


def raising(error: Exception) -> Callable[[], None]:
    def work() -> None:
        raise error

    return work


def test_failures_become_answers() -> None:
    refused = InputError("no")
    assert attempt(lambda: 3) == 3
    assert attempt(raising(refused)) is refused
    failed = attempt(raising(RuntimeError("no luck")))
    assert isinstance(failed, InferenceError)
    assert isinstance(failed.__cause__, RuntimeError)


@pytest.mark.parametrize("error", [DeadlineExceeded("late"), Cancelled("left")])
def test_what_concerns_the_whole_call_passes_through(error: MetierError) -> None:
    with pytest.raises(type(error)):
        attempt(raising(error))


def test_boxes_hold_whole_pixels() -> None:
    masks = np.zeros((3, 10, 20), dtype=np.bool_)
    masks[0, 4, 7] = True
    masks[1, 2:9, 5:20] = True
    assert boxes_around(masks).tolist() == [[7, 4, 8, 5], [5, 2, 20, 9], [0, 0, 0, 0]]


def test_no_mask_at_all() -> None:
    answer = segmentation(np.zeros((0, 10, 20), dtype=np.bool_), np.zeros(0, dtype=np.float32))
    assert answer.boxes.shape == (0, 4)
