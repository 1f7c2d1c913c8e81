"""Checkpoints that may not be read, or not wholly."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from metier_contracts import ModelCard, ModelLoadError, UnsafeWeightsError
from metier_mlm.checkpoint import quiet_transformers
from safetensors.torch import load_file, save_file
from transformers.utils import logging as transformers_logging


class Creates:
    """Unpickling this creates a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self._path),)


@pytest.fixture
def folder(build: Callable[..., Path]) -> Path:
    return build("BertModel")


@pytest.fixture
def card(card_for: Callable[..., ModelCard]) -> ModelCard:
    return card_for("sentence-encoder", "embed")


@pytest.mark.parametrize("zipped", [False, True])
def test_a_malicious_pickle_is_refused(
    folder: Path, card: ModelCard, load: Callable[..., Any], tmp_path: Path, zipped: bool
) -> None:
    marker = tmp_path / "marker"
    state = {**load_file(folder / "model.safetensors"), "extra": Creates(marker)}
    (folder / "model.safetensors").unlink()
    torch.save(state, folder / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
    with pytest.raises(UnsafeWeightsError, match="full unpickler"):
        load(card, folder)
    assert not marker.exists()


def test_the_pickle_is_malicious(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Creates(tmp_path / "marker")))
    assert (tmp_path / "marker").exists()


def test_a_torch_file_of_tensors_is_read(folder: Path, card: ModelCard, load: Callable[..., Any]) -> None:
    before = load(card, folder, dtype="float32")._network.module.state_dict()
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    after = load(card, folder, dtype="float32")._network.module.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_missing_weights_are_never_drawn_at_random(folder: Path, card: ModelCard, load: Callable[..., Any]) -> None:
    path = folder / "model.safetensors"
    state = load_file(path)
    kept = {name: tensor for name, tensor in state.items() if "layer.1.output.dense" not in name}
    save_file(kept, path, metadata={"format": "pt"})
    with pytest.raises(ModelLoadError, match="lacks weights") as caught:
        load(card, folder)
    assert "encoder.layer.1.output.dense.weight" in str(caught.value)


def test_an_encoder_needs_no_pooler(folder: Path, card: ModelCard, load: Callable[..., Any]) -> None:
    path = folder / "model.safetensors"
    kept = {name: tensor for name, tensor in load_file(path).items() if "pooler" not in name}
    save_file(kept, path, metadata={"format": "pt"})
    assert load(card, folder).resident_bytes() > 0


def test_a_head_that_was_never_trained(
    folder: Path, card_for: Callable[..., ModelCard], load: Callable[..., Any]
) -> None:
    for loader, task in (("sequence-classification", "classify"), ("token-classification", "extract")):
        with pytest.raises(ModelLoadError, match="lacks weights"):
            load(card_for(loader, task), folder)


def test_weights_of_another_shape(folder: Path, card: ModelCard, load: Callable[..., Any]) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"intermediate_size": 48}))
    with pytest.raises(ModelLoadError):
        load(card, folder)


def test_code_of_a_checkpoint_is_not_run(
    folder: Path, card: ModelCard, load: Callable[..., Any], tmp_path: Path
) -> None:
    marker = tmp_path / "marker"
    (folder / "modeling.py").write_text(f"import os\nos.mkdir({str(marker)!r})\n")
    config = json.loads((folder / "config.json").read_text())
    remote = {"model_type": "unheard-of", "auto_map": {"AutoConfig": "modeling.A", "AutoModel": "modeling.B"}}
    (folder / "config.json").write_text(json.dumps(config | remote))
    with pytest.raises(ModelLoadError):
        load(card, folder)
    assert not marker.exists()


def test_a_subfolder(folder: Path, card_for: Callable[..., ModelCard], load: Callable[..., Any]) -> None:
    card = card_for("sentence-encoder", "embed", subfolder=folder.name)
    assert load(card, folder.parent).resident_bytes() > 0


def test_loading_leaves_transformers_and_the_environment_as_they_were(
    folder: Path, card: ModelCard, load: Callable[..., Any], capfd: pytest.CaptureFixture[str]
) -> None:
    def state() -> tuple[int, bool, Mapping[str, str]]:
        verbosity = transformers_logging.get_verbosity()
        return verbosity, transformers_logging.is_progress_bar_enabled(), dict(os.environ)

    before = state()
    capfd.readouterr()
    load(card, folder)
    assert state() == before
    with pytest.raises(KeyError), quiet_transformers():
        raise KeyError
    assert state() == before
    assert capfd.readouterr() == ("", "")
