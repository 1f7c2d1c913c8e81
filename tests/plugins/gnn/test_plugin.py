"""The hook: which loader it calls, what it raises, and what it leaves unimported; and the manifest's cards."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import metier_gnn
import pytest
from metier_contracts import ConfigError, ModelCard, ModelLoadError, Placement, read_manifest
from metier_contracts.hooks import MANIFEST_NAME
from metier_contracts.model import FittableModel, PlacedModel
from metier_gnn.plugin import LOADERS, metier_load

from tests.support.imports import heavy_imports_of

HEAVY = "torch", "torch_geometric", "safetensors", "scipy", "rdkit", "networkx", "pandas"


def card_for(loader: str, **options: Any) -> ModelCard:
    return ModelCard(
        id="built",
        plugin="gnn",
        architecture="gnn",
        licence="Apache-2.0",
        options={"loader": loader, **options},
        tasks={"graph-score": {"levels": ("node", "edge", "graph")}},
    )


def test_importing_the_plugin_imports_nothing_heavy() -> None:
    assert heavy_imports_of("metier_gnn.plugin", HEAVY) == ""


def test_the_check_of_imports_can_fail() -> None:
    assert "torch_geometric" in heavy_imports_of("metier_gnn.upstream", HEAVY)


def test_an_unknown_loader(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="names no loader") as caught:
        metier_load(card=card_for("node2vec"), placement=Placement(directory=tmp_path))
    assert caught.value.expected is not None
    assert all(name in caught.value.expected for name in LOADERS)


@pytest.mark.parametrize("loader", LOADERS)
def test_an_unknown_option(loader: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="options of the card built"):
        metier_load(card=card_for(loader, speed="high"), placement=Placement(directory=tmp_path))


def test_heads_that_do_not_divide_a_layer() -> None:
    with pytest.raises(ConfigError, match="heads"):
        metier_load(card=card_for("from-scratch", hidden=10, heads=3), placement=Placement())


@pytest.mark.parametrize("module", LOADERS.values())
def test_each_loader_can_load(module: str) -> None:
    assert callable(import_module(module).load)


def test_no_folder() -> None:
    with pytest.raises(ModelLoadError, match="no weights for built"):
        metier_load(card=card_for("network"), placement=Placement())


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_a_folder_that_is_not_whole(missing: str, tmp_path: Path) -> None:
    for name in {"config.json", "model.safetensors"} - {missing}:
        (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(ModelLoadError) as caught:
        metier_load(card=card_for("network"), placement=Placement(directory=tmp_path))
    assert caught.value.got == f"no {missing}"


def test_a_config_that_is_none(tmp_path: Path) -> None:
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(ModelLoadError, match="describes no network"):
        metier_load(card=card_for("network"), placement=Placement(directory=tmp_path))


def test_the_manifest_requires_what_the_code_imports() -> None:
    folder = Path(metier_gnn.__file__).parent
    code = "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    imported = set(re.findall(r"^ *(?:from|import) (\w+)", code, re.MULTILINE))
    assert imported & set(HEAVY) == set(read_manifest(folder / MANIFEST_NAME).requires)


def test_models_say_where_they_are(cards: Mapping[str, ModelCard]) -> None:
    for card in cards.values():
        if card.source is not None:
            continue
        model = metier_load(card=card, placement=Placement())
        assert isinstance(model, PlacedModel)
        assert isinstance(model, FittableModel) == bool(card.fits)
        assert (model.device, model.resident_bytes()) == ("cpu", 0)
