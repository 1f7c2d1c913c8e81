"""The hook: which loader it calls, what it raises, and what it leaves unimported; and the manifest's cards."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import metier_sam
import pytest
import torch
from metier_contracts import ConfigError, ModelCard, ModelLoadError, Placement, read_manifest
from metier_contracts.hooks import MANIFEST_NAME
from metier_contracts.model import PlacedModel
from metier_sam.plugin import LOADERS, metier_load

from tests.support.imports import heavy_imports_of

HEAVY = "torch", "torchvision", "transformers", "segment_anything", "cv2", "safetensors"
WITH_WEIGHTS = [name for name in LOADERS if name != "grabcut"]


def test_importing_the_plugin_imports_nothing_heavy() -> None:
    assert heavy_imports_of("metier_sam.plugin", HEAVY) == ""


def test_the_check_of_imports_can_fail() -> None:
    assert "torch" in heavy_imports_of("metier_sam.placing", HEAVY)


def test_an_unknown_loader(tmp_path: Path, card_for: Callable[..., ModelCard]) -> None:
    with pytest.raises(ConfigError, match="names no loader") as caught:
        metier_load(card=card_for("mask-painter"), placement=Placement(directory=tmp_path))
    assert caught.value.expected is not None
    assert all(name in caught.value.expected for name in LOADERS)


@pytest.mark.parametrize("loader", ["segment-anything", "transformers"])
def test_no_folder(loader: str, card_for: Callable[..., ModelCard]) -> None:
    with pytest.raises(ModelLoadError, match="no weights for"):
        metier_load(card=card_for(loader), placement=Placement())


@pytest.mark.parametrize("loader", WITH_WEIGHTS)
def test_an_empty_folder(loader: str, tmp_path: Path, card_for: Callable[..., ModelCard]) -> None:
    with pytest.raises(ModelLoadError):
        metier_load(card=card_for(loader), placement=Placement(directory=tmp_path))


@pytest.mark.parametrize("loader", LOADERS)
def test_an_unknown_option(loader: str, tmp_path: Path, card_for: Callable[..., ModelCard]) -> None:
    with pytest.raises(ConfigError, match="options of the card built"):
        metier_load(card=card_for(loader, speed="high"), placement=Placement(directory=tmp_path))


@pytest.mark.parametrize("loader", ["promptable", "transformers"])
def test_broken_files_are_reported_as_ours(loader: str, tmp_path: Path, card_for: Callable[..., ModelCard]) -> None:
    for name in ("config.json", "promptable.safetensors", "model.safetensors"):
        (tmp_path / name).write_bytes(b"{")
    with pytest.raises(ModelLoadError, match="could not be loaded") as caught:
        metier_load(card=card_for(loader), placement=Placement(directory=tmp_path))
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize("module", LOADERS.values())
def test_each_loader_can_load(module: str) -> None:
    assert callable(import_module(module).load)


def test_the_manifest_requires_what_the_code_imports() -> None:
    folder = Path(metier_sam.__file__).parent
    code = "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    imported = set(re.findall(r"^ *(?:from|import) (\w+)", code, re.MULTILINE))
    assert imported & set(HEAVY) == set(read_manifest(folder / MANIFEST_NAME).requires)


def test_every_card_names_a_loader(cards: Mapping[str, ModelCard]) -> None:
    assert {card.options["loader"] for card in cards.values()} <= set(LOADERS)


def test_hub_cards_pin_a_commit(cards: Mapping[str, ModelCard]) -> None:
    hub = [card for card in cards.values() if str(card.source).startswith("hf:")]
    assert len(hub) >= 6
    assert all(re.fullmatch(r"[0-9a-f]{40}", card.revision or "") for card in hub)


def test_files_of_the_authors_bear_their_digests(cards: Mapping[str, ModelCard]) -> None:
    files = [card for card in cards.values() if str(card.source).startswith("path:")]
    assert len(files) == 3
    assert all(isinstance(card.sha256, str) for card in files)


@pytest.mark.parametrize(("name", "variant"), [("sam-vit-b", "vit_b"), ("sam-vit-l", "vit_l"), ("sam-vit-h", "vit_h")])
def test_cards_of_the_authors_state_bytes_and_parameters(
    cards: Mapping[str, ModelCard], name: str, variant: str
) -> None:
    from metier_contracts.authoring import module_bytes
    from segment_anything import sam_model_registry

    with torch.device("meta"):
        sam: Any = sam_model_registry[variant]()
    assert cards[name].parameters == sum(one.numel() for one in sam.parameters())
    held = [*sam.parameters(), *sam.buffers()]
    assert cards[name].bytes == sum(one.numel() * one.element_size() for one in held)
    assert module_bytes(torch.nn.Linear(3, 2)) == 32


def test_models_are_placed_models(sam: Any, load: Callable[..., Any]) -> None:
    assert isinstance(sam, PlacedModel)
    assert isinstance(load("grabcut"), PlacedModel)
