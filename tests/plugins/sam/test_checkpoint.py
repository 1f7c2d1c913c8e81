"""Reading SAM's checkpoints: the right file, tensors alone, and a network of their shapes."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from metier_contracts import ModelCard, ModelLoadError, Placement, UnsafeWeightsError
from metier_sam.checkpoint import _shaped, checkpoint_file, read_state
from metier_sam.plugin import metier_load
from safetensors.torch import save_file
from segment_anything import sam_model_registry


@pytest.mark.parametrize("variant", ["vit_b", "vit_l", "vit_h"])
def test_shapes_tell_the_network(variant: str) -> None:
    with torch.device("meta"):
        theirs = sam_model_registry[variant]()
        ours = _shaped(theirs.state_dict())
    assert str(ours) == str(theirs)
    assert ours.image_encoder.img_size == theirs.image_encoder.img_size
    blocks = zip(ours.image_encoder.blocks, theirs.image_encoder.blocks, strict=True)
    assert all((one.window_size, one.attn.num_heads) == (two.window_size, two.attn.num_heads) for one, two in blocks)
    assert {name: tensor.shape for name, tensor in ours.state_dict().items()} == {
        name: tensor.shape for name, tensor in theirs.state_dict().items()
    }


def test_safetensors_load_too(load: Callable[..., Any], sam_folder: Path, tmp_path: Path) -> None:
    state = read_state(sam_folder / "sam_tiny.pth")
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, tmp_path / "sam.safetensors")
    model = load("segment-anything", tmp_path)
    assert all(torch.equal(tensor, model._module.state_dict()[name]) for name, tensor in state.items())


def test_half_precision_on_disk_is_widened(load: Callable[..., Any], sam_folder: Path, tmp_path: Path) -> None:
    state = {name: tensor.half() for name, tensor in read_state(sam_folder / "sam_tiny.pth").items()}
    torch.save(state, tmp_path / "half.pth")
    assert load("segment-anything", tmp_path).dtype == "float32"


class TestWhichFile:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        for name in ("a.pth", "b.pth"):
            (tmp_path / name).touch()
        return tmp_path

    def card(self, source: str | None) -> ModelCard:
        return ModelCard(id="x", plugin="sam", architecture="sam", licence="MIT", source=source, tasks={"segment": {}})

    def test_the_one_that_is_named(self, folder: Path) -> None:
        assert checkpoint_file(self.card(None), folder, "b.pth").name == "b.pth"

    def test_the_one_that_the_source_ends_in(self, folder: Path) -> None:
        assert checkpoint_file(self.card(f"path:{folder}/a.pth"), folder, None).name == "a.pth"

    def test_the_only_one(self, folder: Path) -> None:
        (folder / "a.pth").unlink()
        assert checkpoint_file(self.card(f"path:{folder}"), folder, None).name == "b.pth"

    @pytest.mark.parametrize("name", [None, "c.pth"])
    def test_none(self, folder: Path, name: str | None) -> None:
        with pytest.raises(ModelLoadError, match="does not hold one checkpoint") as caught:
            checkpoint_file(self.card(f"path:{folder}"), folder, name)
        assert caught.value.got == "a.pth, b.pth"


def test_more_than_tensors_is_refused(load: Callable[..., Any], tmp_path: Path) -> None:
    torch.save({"weights": Path("x")}, tmp_path / "sam.pth")
    with pytest.raises(UnsafeWeightsError):
        load("segment-anything", tmp_path)


def test_a_plain_pickle_is_refused(card_for: Callable[..., ModelCard], tmp_path: Path) -> None:
    (tmp_path / "sam.pth").write_bytes(pickle.dumps(print, protocol=2))
    with pytest.raises(UnsafeWeightsError):
        metier_load(card=card_for("segment-anything"), placement=Placement(directory=tmp_path))


@pytest.mark.parametrize("change", ["more", "fewer", "other", "no tensor"])
def test_another_network_is_refused(load: Callable[..., Any], sam_folder: Path, tmp_path: Path, change: str) -> None:
    state: dict[str, Any] = dict(read_state(sam_folder / "sam_tiny.pth"))
    if change == "more":
        state["adapter.weight"] = torch.zeros(3)
    elif change == "fewer":
        del state["mask_decoder.iou_token.weight"]
    elif change == "no tensor":
        state = {"model": state}
    else:
        state = {"conv.weight": torch.zeros(3, 3)}
    torch.save(state, tmp_path / "sam.pth")
    with pytest.raises(ModelLoadError, match="is no checkpoint of segment-anything") as caught:
        load("segment-anything", tmp_path)
    assert caught.value.expected is not None
    assert caught.value.got is not None
