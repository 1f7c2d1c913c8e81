from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from metier_contracts import ModelCard, ModelLoadError, UnsafeWeightsError
from metier_contracts._interop.transformers import LOADING
from metier_contracts.authoring import quiet_transformers
from metier_mlm.checkpoint import load_network
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
    with pytest.raises(UnsafeWeightsError, match="needs code of its own, which is never run"):
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


def test_one_thread_loads_at_a_time() -> None:
    with ThreadPoolExecutor(1) as other:
        with quiet_transformers(), quiet_transformers():
            assert not other.submit(LOADING.acquire, blocking=False).result()
        assert other.submit(LOADING.acquire, blocking=False).result()
        other.submit(LOADING.release).result()


class Creates:
    """Unpickling this creates a folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self._path),)


@pytest.fixture
def built(build: Callable[..., Path]) -> Path:
    """A small encoder of its own."""
    return build("AutoModel")


@pytest.fixture
def card(card_for: Callable[..., ModelCard]) -> ModelCard:
    return card_for("sentence-encoder", "embed")


@pytest.mark.parametrize("zipped", [False, True])
def test_what_a_pickle_would_do_is_not_done(
    built: Path, card: ModelCard, load: Callable[..., Any], tmp_path: Path, zipped: bool
) -> None:
    marker = tmp_path / "marker"
    state = {**load_file(built / "model.safetensors"), "extra": Creates(marker)}
    (built / "model.safetensors").unlink()
    torch.save(state, built / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
    with pytest.raises(UnsafeWeightsError, match="full unpickler"):
        load(card, built)
    assert not marker.exists()


def test_the_pickle_is_malicious(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Creates(tmp_path / "marker")))
    assert (tmp_path / "marker").exists()


def test_an_encoder_needs_no_pooler(built: Path, card: ModelCard, load: Callable[..., Any]) -> None:
    path = built / "model.safetensors"
    kept = {name: tensor for name, tensor in load_file(path).items() if "pooler" not in name}
    save_file(kept, path, metadata={"format": "pt"})
    assert load(card, built).resident_bytes() > 0


def test_a_head_that_was_never_trained(
    built: Path, card_for: Callable[..., ModelCard], load: Callable[..., Any]
) -> None:
    for loader, task in (("sequence-classification", "classify"), ("token-classification", "extract")):
        with pytest.raises(ModelLoadError, match="lacks weights"):
            load(card_for(loader, task), built)


def test_weights_of_another_shape(built: Path, card: ModelCard, load: Callable[..., Any]) -> None:
    config = json.loads((built / "config.json").read_text())
    (built / "config.json").write_text(json.dumps(config | {"intermediate_size": 48}))
    with pytest.raises(ModelLoadError):
        load(card, built)


def test_a_subfolder(built: Path, card_for: Callable[..., ModelCard], load: Callable[..., Any]) -> None:
    card = card_for("sentence-encoder", "embed", subfolder=built.name)
    assert load(card, built.parent).resident_bytes() > 0


def test_loading_leaves_transformers_and_the_environment_as_they_were(
    built: Path, card: ModelCard, load: Callable[..., Any], capfd: pytest.CaptureFixture[str]
) -> None:
    def state() -> tuple[int, bool, Mapping[str, str]]:
        verbosity = logging.get_verbosity()
        return verbosity, logging.is_progress_bar_enabled(), dict(os.environ)

    before = state()
    capfd.readouterr()
    load(card, built)
    assert state() == before
    with pytest.raises(KeyError), quiet_transformers():
        raise KeyError
    assert state() == before
    assert capfd.readouterr() == ("", "")
