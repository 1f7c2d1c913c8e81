"""The hook: which loader it calls, what it raises, and what it leaves unimported."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import metier_mlm
import pytest
from metier_contracts import ConfigError, ModelCard, ModelLoadError, Placement, read_manifest
from metier_contracts.hooks import MANIFEST_NAME
from metier_contracts.model import FittableModel, PlacedModel
from metier_mlm.plugin import LOADERS, metier_load

from tests.support.imports import heavy_imports_of

HEAVY = "torch", "transformers", "sentence_transformers", "sklearn", "spacy", "tokenizers", "safetensors"


def test_importing_the_plugin_imports_nothing_heavy() -> None:
    assert heavy_imports_of("metier_mlm.plugin", HEAVY) == ""


def test_the_check_of_imports_can_fail() -> None:
    assert "torch" in heavy_imports_of("metier_mlm.placing", HEAVY)


def test_an_unknown_loader(tmp_path: Path, card_for: Callable[..., ModelCard]) -> None:
    with pytest.raises(ConfigError, match="names no loader") as caught:
        metier_load(card=card_for("sentence-decoder", "embed"), placement=Placement(directory=tmp_path))
    assert caught.value.expected is not None
    assert all(name in caught.value.expected for name in LOADERS)


def test_no_folder(cards: Mapping[str, ModelCard]) -> None:
    for card in cards.values():
        with pytest.raises(ModelLoadError, match="no weights for"):
            metier_load(card=card, placement=Placement())


@pytest.mark.parametrize("loader", LOADERS)
def test_an_empty_folder(loader: str, tmp_path: Path, card_for: Callable[..., ModelCard]) -> None:
    with pytest.raises(ModelLoadError):
        metier_load(card=card_for(loader, "embed"), placement=Placement(directory=tmp_path))


@pytest.mark.parametrize("loader", LOADERS)
def test_an_unknown_option(loader: str, tmp_path: Path, card_for: Callable[..., ModelCard]) -> None:
    with pytest.raises(ConfigError, match="options of the card built"):
        metier_load(card=card_for(loader, "embed", speed="high"), placement=Placement(directory=tmp_path))


def test_every_card_names_a_loader_and_holds_to_it(cards: Mapping[str, ModelCard]) -> None:
    assert {card.options["loader"] for card in cards.values()} <= set(LOADERS)


def test_broken_files_are_reported_as_ours(
    tmp_path: Path, card_for: Callable[..., ModelCard], weights: Callable[[str], Path], load: Callable[..., Any]
) -> None:
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((weights("all-MiniLM-L6-v2") / name).read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"not safetensors")
    with pytest.raises(ModelLoadError, match="could not be loaded") as caught:
        load(card_for("sentence-encoder", "embed"), tmp_path)
    assert caught.value.__cause__ is not None


def test_no_loader_named(cards: Mapping[str, ModelCard], tmp_path: Path) -> None:
    card = cards["antiberty"].model_copy(update={"options": {}})
    with pytest.raises(ConfigError, match="names no loader"):
        metier_load(card=card, placement=Placement(directory=tmp_path))


@pytest.mark.parametrize("module", LOADERS.values())
def test_each_loader_can_load(module: str) -> None:
    assert callable(import_module(module).load)


def test_the_manifest_requires_what_the_code_imports() -> None:
    folder = Path(metier_mlm.__file__).parent
    code = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    imported = set(re.findall(r"^ *(?:from|import) (\w+)", code, re.MULTILINE))
    required = set(read_manifest(folder / MANIFEST_NAME).requires)
    assert imported & set(HEAVY) <= required | {"tokenizers"}  # transformers brings the tokenizers


def test_hub_cards_pin_a_commit(cards: Mapping[str, ModelCard]) -> None:
    hub = [card for card in cards.values() if str(card.source).startswith("hf:")]
    assert hub
    assert all(re.fullmatch(r"[0-9a-f]{40}", card.revision or "") for card in hub)


def test_each_task_has_one_default(cards: Mapping[str, ModelCard]) -> None:
    tasks = {task for card in cards.values() for task in card.tasks}
    for task in tasks:
        assert sum(card.tasks[task].default for card in cards.values() if task in card.tasks) == 1, task


def test_models_are_placed_models(encoder: Any, antiberty: Any, spacy_model: Any) -> None:
    assert all(isinstance(model, PlacedModel) for model in (encoder, antiberty, spacy_model))
    assert isinstance(encoder, FittableModel)
    assert not isinstance(antiberty, FittableModel)


@pytest.mark.parametrize("name", ["all-MiniLM-L6-v2", "antiberty"])
def test_cards_state_bytes_and_parameters_in_float32(load: Callable[..., Any], name: str) -> None:
    model = load(name, dtype="float32")
    assert model.card.parameters == sum(one.numel() for one in model._network.module.parameters())
    assert model.card.bytes == pytest.approx(model.resident_bytes(), rel=0.01)
    model.close()


def test_the_card_of_the_pipeline_states_its_bytes(spacy_model: Any) -> None:
    assert spacy_model.card.bytes == pytest.approx(spacy_model.resident_bytes(), rel=0.01)
