"""Recipes of folders, and the pooling itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from metier_contracts import ModelLoadError
from metier_mlm.pooling import Recipe, pool, read_recipe

TYPES = "sentence_transformers.models."


def write(folder: Path, modules: list[str], pooling: dict[str, Any] | None = None, **files: Any) -> Path:
    """Write the settings of a sentence-transformers folder."""
    listed = [{"idx": i, "path": f"{i}_{name}" if i else "", "type": TYPES + name} for i, name in enumerate(modules)]
    (folder / "modules.json").write_text(json.dumps(listed))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling or {}))
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


def test_a_plain_folder_is_mean_pooled(tmp_path: Path) -> None:
    assert read_recipe(tmp_path) == Recipe("mean", normalized=False)


@pytest.mark.parametrize(
    ("pooling", "mode"),
    [
        ({"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}, "mean"),
        ({"pooling_mode_mean_tokens": False, "pooling_mode_cls_token": True}, "cls"),
        ({"pooling_mode_max_tokens": True}, "max"),
        ({"pooling_mode": "cls", "include_prompt": True}, "cls"),
        ({"pooling_mode": ["mean"]}, "mean"),
        ({}, "mean"),
    ],
)
def test_poolings(tmp_path: Path, pooling: dict[str, Any], mode: str) -> None:
    recipe = read_recipe(write(tmp_path, ["Transformer", "Pooling", "Normalize"], pooling))
    assert recipe.mode == mode
    assert recipe.normalized


@pytest.mark.parametrize(
    ("pooling", "named"),
    [
        ({"pooling_mode_lasttoken": True}, "lasttoken"),
        ({"pooling_mode": "weightedmean"}, "weightedmean"),
        ({"pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": True}, "mean and max"),
        ({"pooling_mode": ["cls", "mean"]}, "cls and mean"),
    ],
)
def test_poolings_not_computed_here(tmp_path: Path, pooling: dict[str, Any], named: str) -> None:
    with pytest.raises(ModelLoadError, match=named):
        read_recipe(write(tmp_path, ["Transformer", "Pooling"], pooling))


@pytest.mark.parametrize("module", ["Dense", "LSTM", "WeightedLayerPooling"])
def test_modules_not_computed_here(tmp_path: Path, module: str) -> None:
    with pytest.raises(ModelLoadError, match=module):
        read_recipe(write(tmp_path, ["Transformer", "Pooling", module]))


def test_lower_casing_outside_the_tokenizer_is_not_computed_here(tmp_path: Path) -> None:
    folder = write(tmp_path, ["Transformer", "Pooling"], sentence_bert_config={"do_lower_case": True})
    with pytest.raises(ModelLoadError, match="do_lower_case"):
        read_recipe(folder)


def test_lengths_and_prompts(tmp_path: Path) -> None:
    recipe = read_recipe(
        write(
            tmp_path,
            ["Transformer", "Pooling"],
            sentence_bert_config={"max_seq_length": 128, "do_lower_case": False},
            config_sentence_transformers={
                "prompts": {"query": "query: ", "document": "passage: ", "empty": ""},
                "default_prompt_name": "document",
            },
        )
    )
    assert recipe.max_length == 128
    assert not recipe.normalized
    assert recipe.prompt("query") == "query: "
    assert recipe.prompt("passage", "document") == "passage: "
    assert recipe.prompt() == "passage: "
    assert Recipe().prompt("query") == ""


def test_prompts_left_out_of_the_pooling_are_not_computed_here(tmp_path: Path) -> None:
    prompts = {"prompts": {"query": "query: "}}
    folder = write(
        tmp_path, ["Transformer", "Pooling"], {"include_prompt": False}, config_sentence_transformers=prompts
    )
    with pytest.raises(ModelLoadError, match="prompts"):
        read_recipe(folder)


def test_padding_counts_for_nothing() -> None:
    hidden = torch.tensor([[[1.0, -5.0], [3.0, -7.0], [99.0, 99.0]]], dtype=torch.bfloat16)
    mask = torch.tensor([[1, 1, 0]])
    assert pool(hidden, mask, "mean").tolist() == [[2.0, -6.0]]
    assert pool(hidden, mask, "max").tolist() == [[3.0, -5.0]]
    assert pool(hidden, mask, "cls").tolist() == [[1.0, -5.0]]
    assert pool(hidden, mask, "mean").dtype is torch.float32


def test_the_mean_is_taken_in_float32() -> None:
    hidden = torch.full((1, 512, 1), 1.01, dtype=torch.bfloat16)
    assert pool(hidden, torch.ones(1, 512, dtype=torch.int64), "mean").item() == pytest.approx(hidden[0, 0, 0].item())


def test_no_token_gives_zeros() -> None:
    assert pool(torch.ones(1, 2, 3), torch.zeros(1, 2, dtype=torch.int64), "mean").tolist() == [[0.0, 0.0, 0.0]]
