from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from metier_contracts import ModelCard, ModelLoadError, UnsafeWeightsError
from metier_mlm.checkpoint import load_network, quiet_transformers
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoModelForSequenceClassification
from transformers.utils import logging


@pytest.fixture
def folder(weights: Callable[[str], Path], tmp_path: Path) -> Path:
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(weights("all-MiniLM-L6-v2") / name, tmp_path)
    return tmp_path


@pytest.fixture
def tensors(weights: Callable[[str], Path]) -> dict[str, torch.Tensor]:
    return load_file(weights("all-MiniLM-L6-v2") / "model.safetensors")


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("exit 1",)


def test_a_pickle_with_code_is_never_run(folder: Path, tensors: dict[str, torch.Tensor]) -> None:
    torch.save({**tensors, "evil": Evil()}, folder / "pytorch_model.bin")
    with pytest.raises(UnsafeWeightsError, match="full unpickler"):
        load_network(AutoModel, folder, torch.float32, "cpu")


def test_not_even_with_a_grant(folder: Path, load: Any, card_for: Callable[..., ModelCard]) -> None:
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Evil()))
    with pytest.raises((UnsafeWeightsError, ModelLoadError)):
        load(card_for("masked-lm", "fill-mask"), folder, allow_pickle=True)


def test_a_checkpoint_of_tensors_is_read(folder: Path, tensors: dict[str, torch.Tensor]) -> None:
    torch.save(tensors, folder / "pytorch_model.bin")
    network = load_network(AutoModel, folder, torch.float32, "cpu")
    name = "encoder.layer.0.attention.self.query.weight"
    assert torch.equal(network.state_dict()[name], tensors[name])
    assert not network.training


def test_missing_weights_are_no_random_ones(folder: Path, tensors: dict[str, torch.Tensor]) -> None:
    del tensors["encoder.layer.3.output.dense.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    for fresh in ("nothing", "pooler", "head"):
        with pytest.raises(ModelLoadError, match=r"layer\.3"):
            load_network(AutoModel, folder, torch.float32, "cpu", fresh=fresh)


def test_a_missing_head_is_an_error_unless_it_is_to_be_trained(weights: Callable[[str], Path]) -> None:
    folder = weights("all-MiniLM-L6-v2")
    with pytest.raises(ModelLoadError, match="classifier"):
        load_network(AutoModelForSequenceClassification, folder, torch.float32, "cpu")
    load_network(AutoModelForSequenceClassification, folder, torch.float32, "cpu", fresh="head")


def test_code_in_the_folder_is_never_run(
    folder: Path, tensors: dict[str, torch.Tensor], load: Any, card_for: Any
) -> None:
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config = (folder / "config.json").read_text().replace('"model_type": "bert"', '"model_type": "own"')
    own = config.replace("{", '{"auto_map": {"AutoConfig": "own.Own", "AutoModel": "own.Model"},', 1)
    (folder / "config.json").write_text(own)
    (folder / "own.py").write_text("raise SystemExit('the code ran')")
    with pytest.raises(ModelLoadError):
        load(card_for("sentence-encoder", "embed"), folder)


def test_loading_is_silent(weights: Callable[[str], Path], capfd: pytest.CaptureFixture[str]) -> None:
    load_network(AutoModel, weights("all-MiniLM-L6-v2"), torch.float32, "cpu")
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


def test_transformers_is_left_as_it_was() -> None:
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    with quiet_transformers():
        assert not logging.is_progress_bar_enabled()
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
