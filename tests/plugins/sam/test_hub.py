"""Models of transformers: what transformers says when it is used directly, and the folders that are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from metier_contracts import (
    ConfigError,
    ModelCard,
    ModelLoadError,
    Placement,
    Segment,
    Segmentation,
    UnsafeWeightsError,
)
from metier_sam.plugin import metier_load
from safetensors.torch import load_file, save_file

from tests.support.checkpoints import LAX, transformers_model
from tests.support.memory import tensors_alive

KINDS = ("sam", "sam_hq", "sam2", "sam2_video")
POINTS = [[200.0, 120.5], [30.0, 280.0]]
BOXES = [[60.0, 20.0, 333.0, 250.0], [0.0, 0.0, 120.0, 120.0]]


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    made: dict[str, Path] = {}

    def folder_of(kind: str) -> Path:
        if kind not in made:
            made[kind] = transformers_model(tmp_path_factory.mktemp(kind), kind)
        return made[kind]

    return folder_of


@pytest.fixture(params=KINDS)
def folder(request: pytest.FixtureRequest, folder_of: Callable[[str], Path]) -> Path:
    return folder_of(request.param)


@pytest.fixture
def model(load: Callable[..., Any], folder: Path) -> Any:
    return load("transformers", folder, **LAX)


@pytest.fixture
def theirs(folder: Path) -> tuple[Any, Any]:
    """The model and its processor, as transformers' own documentation loads them."""
    from transformers import AutoImageProcessor, AutoModelForMaskGeneration, Sam2Processor, SamProcessor

    model = AutoModelForMaskGeneration.from_pretrained(folder).eval()
    images = AutoImageProcessor.from_pretrained(folder)
    return model, (Sam2Processor if type(model).__name__ == "Sam2Model" else SamProcessor)(images)


def assert_close(answer: Segmentation, masks: Any, scores: Any) -> None:
    """The processors scale coordinates in float32 or float64, the plugin always in float64: last bits differ."""
    assert answer.masks.shape == masks.shape
    assert (answer.masks != masks).mean() < 1e-4
    assert np.abs(answer.scores - scores).max() < 1e-4


PROMPTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "points": (
        {"points": POINTS, "point_labels": [1, 0]},
        {"input_points": [[POINTS]], "input_labels": [[[1, 0]]]},
    ),
    "boxes": ({"boxes": BOXES}, {"input_boxes": [BOXES]}),
    "points and a box": (
        {"points": POINTS, "boxes": BOXES[:1]},
        {"input_points": [[POINTS]], "input_labels": [[[1, 1]]], "input_boxes": [BOXES[:1]]},
    ),
}


@pytest.mark.parametrize("multimask", [False, True])
@pytest.mark.parametrize("prompt", PROMPTS)
def test_prompts(model: Any, theirs: tuple[Any, Any], cat: Any, context: Any, prompt: str, multimask: bool) -> None:
    asked, inputs = PROMPTS[prompt]
    network, processor = theirs
    encoded = processor(images=cat, return_tensors="pt", **inputs)
    frames = encoded.pop("reshaped_input_sizes", None)
    sizes = encoded.pop("original_sizes")
    with torch.no_grad():
        outputs = network(**encoded, multimask_output=multimask)
    settings = {} if frames is None else {"reshaped_input_sizes": frames}
    [masks] = processor.post_process_masks(outputs.pred_masks, sizes, **settings)
    [answer] = model.infer([Segment(image=cat, multimask=multimask, **asked)], context)
    assert_close(answer, masks.flatten(0, 1).numpy(), outputs.iou_scores[0].flatten().numpy())
    assert 0 < answer.masks.mean() < 1


def test_a_mask_moves_the_answer(model: Any, cat: Any, context: Any) -> None:
    left = np.zeros(cat.shape[:2], dtype=np.bool_)
    left[:, :200] = True
    one, other, none = model.infer(
        [
            Segment(image=cat, boxes=BOXES, mask=left),
            Segment(image=cat, boxes=BOXES, mask=~left),
            Segment(image=cat, boxes=BOXES),
        ],
        context,
    )
    scores = {tuple(answer.scores.tolist()) for answer in (one, other, none)}
    assert len(scores) == 3
    [alone] = model.infer([Segment(image=cat, mask=left)], context)
    assert alone.masks.shape == (1, *cat.shape[:2])


def test_closing_lets_go(load: Callable[..., Any], folder: Path, cat: Any, context: Any) -> None:
    few = 64  # image processors of transformers share mean and deviation of the colours, and keep them
    before = tensors_alive(over=few)
    model = load("transformers", folder)
    model.infer([Segment(image=cat, boxes=BOXES)], context)
    assert len(tensors_alive(over=few) - before) > 50
    model.close()
    assert tensors_alive(over=few) - before == set()


@pytest.mark.parametrize("overlap", [0.7, 1.0])
def test_everything_is_what_the_pipeline_finds(
    load: Callable[..., Any], folder: Path, cat: Any, context: Any, overlap: float
) -> None:
    import PIL.Image
    from transformers import pipeline

    # Of a picture that is not square the pipeline places SAM 2's points as if it were padded, and not stretched.
    square = np.ascontiguousarray(cat[:, :300])
    names = ("points_per_batch", "pred_iou_thresh", "stability_score_thresh", "stability_score_offset")
    found = pipeline("mask-generation", str(folder), device="cpu")(
        PIL.Image.fromarray(square),
        points_per_crop=LAX["points_per_side"],
        crops_nms_thresh=overlap,
        **{name: LAX[name] for name in names},
    )
    model = load("transformers", folder, **LAX, box_nms_thresh=overlap)
    [answer] = model.infer([Segment(image=square, everything=True)], context)
    assert_close(answer, np.array(found["masks"]), np.array([float(score) for score in found["scores"]]))
    assert len(answer.masks) >= 1


def test_bfloat16_on_request(card_for: Callable[..., ModelCard], folder_of: Any, cat: Any, context: Any) -> None:
    place = Placement(directory=folder_of("sam"), dtype="bfloat16")
    model = metier_load(card=card_for("transformers"), placement=place)
    exact = metier_load(card=card_for("transformers"), placement=Placement(directory=folder_of("sam")))
    request = Segment(image=cat, boxes=BOXES)
    [answer], [reference] = model.infer([request], context), exact.infer([request], context)
    assert (model.dtype, exact.dtype) == ("bfloat16", "float32")
    assert (answer.masks != reference.masks).mean() < 0.1


@pytest.mark.parametrize("dtype", ["float16", "int8", "no such"])
def test_another_dtype_is_refused(card_for: Callable[..., ModelCard], folder_of: Any, dtype: str) -> None:
    with pytest.raises(ConfigError, match="dtype"):
        metier_load(card=card_for("transformers"), placement=Placement(directory=folder_of("sam"), dtype=dtype))


class TestRefusals:
    @pytest.fixture
    def broken(self, folder_of: Callable[[str], Path], tmp_path: Path) -> Path:
        for path in folder_of("sam").iterdir():
            (tmp_path / path.name).write_bytes(path.read_bytes())
        return tmp_path

    def test_missing_weights(self, load: Callable[..., Any], broken: Path) -> None:
        state = load_file(broken / "model.safetensors")
        del state["mask_decoder.iou_token.weight"]
        save_file(state, broken / "model.safetensors", metadata={"format": "pt"})
        with pytest.raises(ModelLoadError, match="lacks weights") as caught:
            load("transformers", broken)
        assert caught.value.expected == "mask_decoder.iou_token.weight"

    def test_no_processor(self, load: Callable[..., Any], broken: Path) -> None:
        (broken / "preprocessor_config.json").unlink()
        with pytest.raises(ModelLoadError):
            load("transformers", broken)

    def test_another_task(self, load: Callable[..., Any], broken: Path) -> None:
        (broken / "config.json").write_text(json.dumps({"model_type": "bert"}))
        with pytest.raises(ModelLoadError):
            load("transformers", broken)

    def test_code_is_not_run(self, load: Callable[..., Any], broken: Path) -> None:
        config = json.loads((broken / "config.json").read_text())
        config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Config", "AutoModelForMaskGeneration": "own.M"}}
        (broken / "config.json").write_text(json.dumps(config))
        (broken / "own.py").write_text("raise SystemExit('this ran')")
        with pytest.raises(UnsafeWeightsError, match="code of its own"):
            load("transformers", broken)

    def test_a_pickle(self, load: Callable[..., Any], broken: Path) -> None:
        (broken / "model.safetensors").unlink()
        torch.save({"weights": Path("x")}, broken / "pytorch_model.bin")
        with pytest.raises(UnsafeWeightsError):
            load("transformers", broken)

    def test_a_subfolder(self, load: Callable[..., Any], broken: Path) -> None:
        assert load("transformers", broken.parent, subfolder=broken.name).dtype == "float32"
        with pytest.raises(ModelLoadError, match="holds no model"):
            load("transformers", broken, subfolder="elsewhere")
