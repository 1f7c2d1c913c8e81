"""SAM by segment-anything's package: bit for bit what that package says when it is used directly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from metier_contracts import Cancelled, ConfigError, Segment, Segmentation
from metier_sam.checkpoint import build, read_state
from segment_anything import SamAutomaticMaskGenerator, SamPredictor, sam_model_registry

from tests.support.checkpoints import LAX

POINTS = np.array([[200.0, 120.5], [30.0, 280.0]], dtype=np.float32)
LABELS = np.array([1, 0])
BOX = np.array([60.0, 20.0, 333.0, 250.0], dtype=np.float32)


@pytest.fixture
def predictor(sam_folder: Path, cat: Any) -> SamPredictor:
    """segment-anything's own predictor with the same checkpoint, which has seen the cat."""
    path = sam_folder / "sam_tiny.pth"
    predictor = SamPredictor(build(path, read_state(path)))
    predictor.set_image(cat)
    return predictor


def run(model: Any, context: Any, **request: Any) -> Segmentation:
    [answer] = model.infer([Segment(**request)], context)
    assert isinstance(answer, Segmentation), answer
    return answer


def assert_same(answer: Segmentation, masks: Any, scores: Any) -> None:
    assert np.array_equal(answer.masks, np.asarray(masks))
    assert np.array_equal(answer.scores, np.asarray(scores))


@pytest.mark.parametrize("multimask", [False, True])
@pytest.mark.parametrize(
    "prompt",
    [
        {"points": POINTS},
        {"points": POINTS, "point_labels": LABELS},
        {"boxes": BOX[None]},
        {"points": POINTS, "point_labels": LABELS, "boxes": BOX[None]},
    ],
    ids=lambda prompt: "+".join(prompt),
)
def test_points_and_a_box(
    sam: Any, predictor: SamPredictor, cat: Any, context: Any, prompt: dict[str, Any], multimask: bool
) -> None:
    masks, scores, _ = predictor.predict(
        point_coords=prompt.get("points"),
        point_labels=prompt.get("point_labels", np.array([1, 1]) if "points" in prompt else None),
        box=prompt["boxes"][0] if "boxes" in prompt else None,
        multimask_output=multimask,
    )
    answer = run(sam, context, image=cat, multimask=multimask, **prompt)
    assert_same(answer, masks, scores)
    assert 0.05 < answer.masks.mean() < 0.95  # random weights, and yet no trivial masks


def test_several_boxes(sam: Any, predictor: SamPredictor, cat: Any, context: Any) -> None:
    boxes = np.array([BOX, [0, 0, 120, 120], [300, 150, 451, 300]], dtype=np.float32)
    masks, scores, _ = predictor.predict_torch(
        None,
        None,
        torch.as_tensor(predictor.transform.apply_boxes(boxes, cat.shape[:2]), dtype=torch.float),
        multimask_output=False,
    )
    assert_same(run(sam, context, image=cat, boxes=boxes), masks[:, 0], scores[:, 0])


def test_many_pixels_are_decoded_in_parts(sam: Any, cat: Any, context: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    boxes = np.array([BOX, [0, 0, 120, 120], [300, 150, 451, 300]], dtype=np.float32)
    whole = run(sam, context, image=cat, boxes=boxes, points=POINTS)
    monkeypatch.setattr("metier_sam.embedder._DECODED_BYTES", 12 * cat.shape[0] * cat.shape[1])
    parts = run(sam, context, image=cat, boxes=boxes, points=POINTS)
    assert np.allclose(parts.scores, whole.scores, atol=1e-5)
    assert (parts.masks != whole.masks).mean() < 1e-3


def test_a_mask_prompt(sam: Any, predictor: SamPredictor, cat: Any, context: Any) -> None:
    rough = np.zeros(cat.shape[:2], dtype=np.bool_)
    rough[40:200, 90:300] = True
    # 451 x 300 becomes 128 x 85, and a quarter of that 32 x 21.
    logits = np.full((1, 32, 32), -10.0, dtype=np.float32)
    logits[0, 3:14, 6:21] = 10.0
    answer = run(sam, context, image=cat, mask=rough, points=POINTS)
    exact, _, _ = predictor.predict(POINTS, np.array([1, 1]), mask_input=logits, multimask_output=False)
    without = run(sam, context, image=cat, points=POINTS)
    assert (answer.masks != exact).mean() < 0.05 < (answer.masks != without.masks).mean()
    assert run(sam, context, image=cat, mask=rough).masks.shape == (1, *cat.shape[:2])


@pytest.mark.parametrize(
    "options",
    [
        {"box_nms_thresh": 0.7},
        {"box_nms_thresh": 1.0},
        {"box_nms_thresh": 1.0, "crop_n_layers": 1, "crop_nms_thresh": 1.0, "min_mask_region_area": 30},
    ],
    ids=["one", "all", "crops"],
)
def test_everything(
    load: Callable[..., Any], predictor: SamPredictor, sam_folder: Path, cat: Any, context: Any, options: dict[str, Any]
) -> None:
    found = SamAutomaticMaskGenerator(predictor.model, **LAX, **options).generate(cat)
    model = load("segment-anything", sam_folder, **LAX, **options)
    for _ in range(2):  # the second time from the embedding that was kept
        answer = run(model, context, image=cat, everything=True)
        assert_same(answer, [one["segmentation"] for one in found], [np.float32(one["predicted_iou"]) for one in found])
    assert len(found) == 1 if options["box_nms_thresh"] < 1 else len(found) > 5


def test_everything_of_nothing(load: Callable[..., Any], sam_folder: Path, cat: Any, context: Any) -> None:
    model = load("segment-anything", sam_folder, **{**LAX, "pred_iou_thresh": 1e6})
    answer = run(model, context, image=cat, everything=True)
    assert answer.masks.shape == (0, *cat.shape[:2])
    assert answer.boxes.shape == (0, 4)


def test_everything_stops_when_the_caller_does(sam: Any, cat: Any, context: Any, monkeypatch: Any) -> None:
    passes = []
    decode = SamPredictor.predict_torch

    def count(self: Any, *prompts: Any, **settings: Any) -> Any:
        passes.append(1)
        context.cancel()
        return decode(self, *prompts, **settings)

    monkeypatch.setattr(SamPredictor, "predict_torch", count)
    with pytest.raises(Cancelled):
        sam.infer([Segment(image=cat, everything=True)], context)
    assert len(passes) == 1


def test_another_dtype_is_refused(load: Callable[..., Any], sam_folder: Path, card_for: Any) -> None:
    from metier_contracts import Placement
    from metier_sam.plugin import metier_load

    with pytest.raises(ConfigError, match="does not compute in that dtype"):
        metier_load(card=card_for("segment-anything"), placement=Placement(directory=sam_folder, dtype="bfloat16"))


def test_the_published_size(load: Callable[..., Any], cat: Any, context: Any, tmp_path: Path) -> None:
    """vit_b itself, made by segment-anything with random weights, saved as its authors save it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        theirs = sam_model_registry["vit_b"]()
    torch.save(theirs.state_dict(), tmp_path / "sam_vit_b_01ec64.pth")
    predictor = SamPredictor(theirs)
    predictor.set_image(cat)
    masks, scores, _ = predictor.predict(POINTS, LABELS, BOX, multimask_output=True)
    model = load("segment-anything", tmp_path)
    request = {"image": cat, "points": POINTS, "point_labels": LABELS, "boxes": BOX[None], "multimask": True}
    assert_same(run(model, context, **request), masks, scores)
