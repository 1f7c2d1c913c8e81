"""GrabCut: coins cut out of a photograph, and prompts that say too little."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from metier_contracts import CallContext, DeviceError, InputError, Placement, Segment, Segmentation, UnsupportedError
from metier_sam.plugin import metier_load
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


@pytest.fixture(scope="module")
def model(load: Callable[..., Any]) -> Any:
    return load("grabcut")


@pytest.fixture(scope="module")
def truth(coins: Any) -> list[Mask]:
    """The 24 coins, as their edges show them: the tutorial segmentation of the picture by its watershed."""
    from scipy import ndimage
    from skimage.filters import sobel
    from skimage.segmentation import watershed

    grey = coins[:, :, 0]
    markers = np.where(grey > 150, 2, np.where(grey < 30, 1, 0))
    parts, count = ndimage.label(ndimage.binary_fill_holes(watershed(sobel(grey), markers) - 1))
    return [mask for mask in (parts == part for part in range(1, count + 1)) if mask.sum() > 500]


def box_of(mask: Mask, margin: int = 3) -> list[float]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return [columns[0] - margin, rows[0] - margin, columns[-1] + 1 + margin, rows[-1] + 1 + margin]


def centre_of(mask: Mask) -> list[float]:
    rows, columns = np.nonzero(mask)
    return [columns.mean(), rows.mean()]


def iou(one: Mask, other: Mask) -> float:
    return float((one & other).sum() / (one | other).sum())


def test_coins_by_their_boxes(model: Any, coins: Any, truth: list[Mask], context: CallContext) -> None:
    [answer] = model.infer([Segment(image=coins, boxes=[box_of(mask) for mask in truth])], context)
    found = np.array([iou(mask, coin) for mask, coin in zip(answer.masks, truth, strict=True)])
    assert len(truth) == 24
    assert np.median(found) > 0.95
    assert (found > 0.9).sum() >= 22
    # A cut that went astray is told by its score.
    assert answer.scores[found > 0.9].min() > 0.6 > answer.scores[found < 0.5].max(initial=0)


def test_a_point_inside_mends_a_box(model: Any, coins: Any, truth: list[Mask], context: CallContext) -> None:
    requests = [Segment(image=coins, boxes=[box_of(mask)], points=[centre_of(mask)]) for mask in truth]
    found = [iou(answer.masks[0], mask) for answer, mask in zip(model.infer(requests, context), truth, strict=True)]
    assert min(found) > 0.9


def test_a_point_off_the_object_takes_away(model: Any, coins: Any, truth: list[Mask], context: CallContext) -> None:
    box, off = [box_of(truth[0])], [[*centre_of(truth[0])]]
    with_it, without = model.infer(
        [Segment(image=coins, boxes=box, points=off, point_labels=[0]), Segment(image=coins, boxes=box)], context
    )
    x, y = (int(value) for value in off[0])
    assert not with_it.masks[0, y, x]
    assert without.masks[0, y, x]


def test_a_point_alone_takes_one_coin(model: Any, coins: Any, truth: list[Mask], context: CallContext) -> None:
    [answer] = model.infer([Segment(image=coins, points=[centre_of(truth[0])])], context)
    assert iou(answer.masks[0], truth[0]) > 0.9


def test_a_rough_mask_is_refined(model: Any, coins: Any, truth: list[Mask], context: CallContext) -> None:
    rough = cv2.dilate(truth[0].astype(np.uint8), np.ones((9, 9))).astype(bool)
    alone, boxed = model.infer(
        [Segment(image=coins, mask=rough), Segment(image=coins, mask=rough, boxes=[box_of(truth[0], 8)])], context
    )
    assert iou(rough, truth[0]) < 0.75
    assert iou(boxed.masks[0], truth[0]) > 0.9
    assert alone.masks.shape == boxed.masks.shape


def test_nothing_lies_outside_a_box(model: Any, cat: Any, context: CallContext) -> None:
    [answer] = model.infer([Segment(image=cat, boxes=[[100.5, 50.2, 250.9, 200.1]])], context)
    left, top, right, bottom = answer.boxes[0]
    assert left >= 100
    assert top >= 50
    assert right <= 251
    assert bottom <= 201


def test_the_seed_decides_what_is_drawn(model: Any, cat: Any) -> None:
    request = Segment(image=cat, boxes=[[100, 50, 350, 280]])
    cv2.setRNGSeed(99)
    [one] = model.infer([request], CallContext(seed=3))
    cv2.setRNGSeed(12)
    [two] = model.infer([request], CallContext(seed=3))
    assert one == two


def test_everything_is_beyond_it(model: Any, coins: Any, context: CallContext) -> None:
    answers = model.infer([Segment(image=coins, everything=True), Segment(image=coins, points=[[9, 9]])], context)
    assert [type(answer) for answer in answers] == [UnsupportedError, Segmentation]


@pytest.mark.parametrize("prompt", ["boxes", "mask", "no mask"])
def test_prompts_that_show_one_side_alone(model: Any, coins: Any, context: CallContext, prompt: str) -> None:
    height, width = coins.shape[:2]
    given: dict[str, Any] = {
        "boxes": {"boxes": [[0, 0, width, height]]},
        "mask": {"mask": np.ones((height, width), bool)},
        "no mask": {"mask": np.zeros((height, width), bool)},
    }[prompt]
    [answer] = model.infer([Segment(image=coins, **given)], context)
    assert isinstance(answer, InputError)
    assert answer.hint is not None


def test_a_box_beyond_the_picture(model: Any, coins: Any, context: CallContext) -> None:
    [answer] = model.infer([Segment(image=coins, boxes=[[-50, -50, 60, 60]])], context)
    assert isinstance(answer, Segmentation)
    assert answer.boxes[0].min() >= 0


def test_it_runs_on_the_cpu_alone(card_for: Callable[..., Any]) -> None:
    with pytest.raises(DeviceError):
        metier_load(card=card_for("grabcut"), placement=Placement(device="cuda:0"))
