"""The hook: which loader it calls, what it raises, and what it leaves unimported."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from metier_contracts import ConfigError, ModelCard, ModelLoadError, Placement
from metier_mlm.plugin import LOADERS, metier_load

HEAVY = "torch", "transformers", "sentence_transformers", "sklearn", "spacy", "tokenizers", "safetensors"
CHECK = f"""
import sys
import {{module}}
found = sorted(set(sys.modules) & {set(HEAVY)})
sys.exit(", ".join(found) if found else 0)
"""


def heavy_imports_of(module: str) -> str:
    """Return the heavy modules that importing `module` in a fresh interpreter brings."""
    done = subprocess.run(
        [sys.executable, "-c", CHECK.format(module=module)], capture_output=True, text=True, check=False
    )
    return done.stderr.strip()


def test_importing_the_plugin_imports_nothing_heavy() -> None:
    assert heavy_imports_of("metier_mlm.plugin") == ""


def test_the_check_of_imports_can_fail() -> None:
    assert "torch" in heavy_imports_of("metier_mlm.placing")


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
