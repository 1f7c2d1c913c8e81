"""Embeddings are kept by what is in the picture, counted, and bounded; items fail alone; callers may leave."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from metier_contracts import (
    CallContext,
    Cancelled,
    DeadlineExceeded,
    Embed,
    InferenceError,
    Segment,
    Segmentation,
    UnsupportedError,
)
from segment_anything.modeling import ImageEncoderViT

from tests.support.checkpoints import LAX
from tests.support.memory import tensors_alive

BOX = [[60, 20, 333, 250]]
EMBEDDING = 8 * 8 * 32 * 4  # float32, of the small checkpoint


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each time that the encoder ran."""
    runs: list[int] = []
    forward = ImageEncoderViT.forward

    def count(self: Any, pixels: Any) -> Any:
        runs.append(len(pixels))
        return forward(self, pixels)

    monkeypatch.setattr(ImageEncoderViT, "forward", count)
    return runs


@pytest.fixture
def fresh(load: Callable[..., Any], sam_folder: Path) -> Callable[..., Any]:
    return lambda **options: load("segment-anything", sam_folder, **{**LAX, **options})


def test_a_second_prompt_does_not_encode(fresh: Any, cat: Any, context: CallContext, encoded: list[int]) -> None:
    model = fresh()
    [first] = model.infer([Segment(image=cat, boxes=BOX)], context)
    [second] = model.infer([Segment(image=cat.copy(), boxes=BOX)], context)
    [other] = model.infer([Segment(image=cat, points=[[20, 20]])], context)
    model.infer([Segment(image=cat, everything=True)], context)
    assert encoded == [1]
    assert first == second
    assert (other.masks != first.masks).any()


def test_another_picture_does(fresh: Any, cat: Any, context: CallContext, encoded: list[int]) -> None:
    model, changed = fresh(), cat.copy()
    changed[:40] = 255 - changed[:40]
    [first] = model.infer([Segment(image=cat, boxes=BOX)], context)
    [second] = model.infer([Segment(image=changed, boxes=BOX)], context)
    assert encoded == [1, 1]
    assert (first.masks != second.masks).any()


def test_a_batch_embeds_each_picture_once(fresh: Any, cat: Any, coins: Any, encoded: list[int]) -> None:
    model = fresh(cache_bytes=0)
    requests = [Segment(image=image, points=[[x, 40]]) for x in (30, 200) for image in (cat, coins, cat)]
    answers = model.infer(requests, CallContext())
    assert encoded == [1, 1]
    assert [answer.masks.shape[1:] for answer in answers] == [request.image.pixels.shape[:2] for request in requests]
    singles = [model.infer([request], CallContext())[0] for request in requests]
    assert answers == singles


def test_what_is_kept_is_counted_and_bounded(fresh: Any, cat: Any, context: CallContext, encoded: list[int]) -> None:
    model = fresh(cache_bytes=2 * EMBEDDING)
    weights = model.resident_bytes()
    sizes = []
    for shift in (0, 1, 2, 0):
        model.infer([Segment(image=np.roll(cat, shift, axis=1), boxes=BOX)], context)
        sizes.append(model.resident_bytes() - weights)
    assert sizes == [EMBEDDING, 2 * EMBEDDING, 2 * EMBEDDING, 2 * EMBEDDING]
    assert len(encoded) == 4


def test_closing_lets_go(fresh: Any, cat: Any, context: CallContext) -> None:
    before = tensors_alive()
    model = fresh()
    model.infer([Segment(image=cat, boxes=BOX)], context)
    assert len(tensors_alive() - before) > 50
    model.close()
    assert tensors_alive() - before == set()


def test_items_fail_alone(fresh: Any, cat: Any, coins: Any, context: CallContext, monkeypatch: Any) -> None:
    model = fresh()
    encode = model._encode

    def fail_on_coins(pixels: Any) -> Any:
        if pixels.shape == coins.shape:
            raise RuntimeError("no luck")
        return encode(pixels)

    monkeypatch.setattr(model, "_encode", fail_on_coins)
    answers = model.infer(
        [
            Segment(image=coins, boxes=BOX),
            Embed(texts=["a"]),
            Segment(image=cat, boxes=BOX),
            Segment(image=coins, points=[[1, 1]]),
        ],
        context,
    )
    kinds = [InferenceError, UnsupportedError, Segmentation, InferenceError]
    assert [type(answer) for answer in answers] == kinds
    assert "no luck" in answers[0].got
    assert "Embed(texts)" in answers[1].got


def test_the_caller_may_leave_between_pictures(fresh: Any, cat: Any, coins: Any, encoded: list[int]) -> None:
    model, context = fresh(), CallContext()
    encode = model._encode

    def leave(pixels: Any) -> Any:
        context.cancel()
        return encode(pixels)

    model._encode = leave
    with pytest.raises(Cancelled):
        model.infer([Segment(image=cat, boxes=BOX), Segment(image=coins, boxes=BOX)], context)
    assert encoded == [1]


def test_a_deadline_that_has_passed(fresh: Any, cat: Any, encoded: list[int]) -> None:
    with pytest.raises(DeadlineExceeded):
        fresh().infer([Segment(image=cat, boxes=BOX)], CallContext(deadline=time.monotonic() - 1))
    assert encoded == []


def test_boxes_are_drawn_around_the_masks(fresh: Any, cat: Any, context: CallContext) -> None:
    [answer] = fresh().infer([Segment(image=cat, boxes=BOX, multimask=True)], context)
    for mask, (left, top, right, bottom) in zip(answer.masks, answer.boxes.astype(int), strict=True):
        assert mask[top:bottom, left:right].sum() == mask.sum() > 0
        assert all(side.any() for side in (mask[top], mask[bottom - 1], mask[:, left], mask[:, right - 1]))
