"""The plugin's own network behind the contract: prompts in pixels, the best reading first, weights of any folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import metier_sam
import numpy as np
import pytest
import torch
from metier_contracts import ConfigError, ModelLoadError, Placement, Segment
from metier_sam.plugin import metier_load
from metier_sam.promptable import load as load_network
from metier_sam.promptable.model import _box_around, _filled, _pasted
from metier_sam.promptable.parts import part_at
from metier_sam.promptable.windows import box_window

from tests.support import checkpoints

BOXES = np.array([[60, 20, 333, 250], [0, 0, 120, 120]], dtype=np.float32)
POINTS = np.array([[200.0, 120.5], [30.0, 280.0]], dtype=np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoints.promptable(tmp_path_factory.mktemp("promptable"))


@pytest.fixture(scope="module")
def model(load: Callable[..., Any], folder: Path) -> Any:
    return load("promptable", folder, points_per_side=3, pred_iou_thresh=-10.0, stability_score_thresh=0.0)


@pytest.mark.parametrize("multimask", [False, True])
def test_it_says_what_the_network_says(model: Any, folder: Path, cat: Any, context: Any, multimask: bool) -> None:
    network = load_network(folder / "promptable.safetensors")
    rough = np.zeros(cat.shape[:2], dtype=np.bool_)
    rough[40:200, 90:300] = True
    features = network.encode(torch.from_numpy(cat).permute(2, 0, 1) / 255)
    logits, scores = network.decode(
        features,
        points=torch.from_numpy(POINTS).expand(2, -1, -1),
        point_labels=torch.tensor([[1, 0], [1, 0]]),
        boxes=torch.from_numpy(BOXES),
        masks=(torch.from_numpy(rough).float() * 20 - 10).expand(2, -1, -1),
    )
    request = Segment(image=cat, boxes=BOXES, points=POINTS, point_labels=[1, 0], mask=rough, multimask=multimask)
    [answer] = model.infer([request], context)
    count = 3 if multimask else 1
    assert np.array_equal(answer.masks, (logits[:, :count].flatten(0, 1) > 0).numpy())
    assert np.array_equal(answer.scores, scores[:, :count].flatten().numpy())


def test_each_kind_of_prompt(model: Any, cat: Any, context: Any) -> None:
    rough = np.zeros(cat.shape[:2], dtype=np.bool_)
    rough[40:200, 90:300] = True
    prompts: list[dict[str, Any]] = [{"points": POINTS}, {"boxes": BOXES}, {"mask": rough}, {"everything": True}]
    answers = model.infer([Segment(image=cat, **prompt) for prompt in prompts], context)
    assert [len(answer.masks) for answer in answers[:3]] == [1, 2, 1]
    assert all(answer.masks.shape[1:] == cat.shape[:2] for answer in answers)


def test_features_are_kept_and_counted(model: Any, cat: Any, context: Any, monkeypatch: Any) -> None:
    model.infer([Segment(image=cat, boxes=BOXES)], context)
    weights = sum(tensor.nbytes for tensor in model._module.state_dict().values())
    assert model.resident_bytes() > weights + 100_000
    monkeypatch.setattr(model, "_encode", None)
    [answer] = model.infer([Segment(image=cat, points=POINTS)], context)
    assert len(answer.masks) == 1


def test_weights_that_are_not_there(load: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match="no weights for") as caught:
        load("promptable", tmp_path)
    assert caught.value.expected == str(tmp_path / "promptable.safetensors")


def test_another_dtype_is_refused(card_for: Any, folder: Path) -> None:
    with pytest.raises(ConfigError, match="dtype"):
        metier_load(card=card_for("promptable"), placement=Placement(directory=folder, dtype="float16"))


def test_a_click_is_asked_again_with_the_boxes_around_its_best_mask_and_its_part(cat: Any) -> None:
    network = load_network(Path(metier_sam.__file__).parent / "weights" / "promptable.safetensors")
    features = network.encode(torch.from_numpy(cat).permute(2, 0, 1) / 255)
    click: dict[str, Any] = {
        "points": torch.tensor([[[180.5, 120.5]]]),
        "point_labels": torch.ones(1, 1, dtype=torch.long),
    }
    prompts = _filled(features, click["points"], click["point_labels"], None, None)
    [found] = network._asked(features, prompts)
    box = _box_around(_pasted(features, found[0]) > 0)
    part = part_at(features, box_window(features, box), prompts, 0)
    boxes = [box] if part is None else [box, _box_around(part)]
    again = [network.decode(features, **click, boxes=box[None]) for box in boxes]
    logits, scores = network.decode(features, **click)
    first = [one.expected.item() for one in found] + [again[0][1][0, 0].item()]
    assert scores[0, 0].item() >= max(first) - 1e-6
    places = [scores[0].tolist().index(pytest.approx(again[0][1][0, 0].item()))]
    assert torch.equal(logits[0, places[0]], again[0][0][0, 0])


def test_a_click_that_finds_nothing_is_not_asked_again(folder: Path, cat: Any) -> None:
    network = load_network(folder / "promptable.safetensors")
    network.decoder.masks.bias.fill_(-1e4)
    features = network.encode(torch.from_numpy(cat).permute(2, 0, 1) / 255)
    logits, _ = network.decode(features, torch.tensor([[[180.5, 120.5]]]), torch.ones(1, 1, dtype=torch.long))
    assert not (logits > 0).any()
