from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from metier_contracts import ModelLoadError
from metier_mlm.pooling import Recipe, pool, read_recipe

HIDDEN = torch.tensor([[[1.0, 2.0], [3.0, -4.0], [90.0, 90.0]]], dtype=torch.bfloat16)
MASK = torch.tensor([[1, 1, 0]])


@pytest.mark.parametrize(("mode", "expected"), [("mean", [2.0, -1.0]), ("cls", [1.0, 2.0]), ("max", [3.0, 2.0])])
def test_padding_is_left_out(mode: Any, expected: list[float]) -> None:
    pooled = pool(HIDDEN, MASK, mode)
    assert pooled.dtype == torch.float32
    assert pooled.tolist() == [expected]


def write(folder: Path, modules: list[str], **files: Any) -> Path:
    listed = [{"type": f"sentence_transformers.models.{name}", "path": f"{n}_{name}"} for n, name in enumerate(modules)]
    (folder / "modules.json").write_text(json.dumps(listed))
    for name, content in files.items():
        path = folder / {"pooling": "1_Pooling/config.json"}.get(name, f"{name}.json")
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))
    return folder


def test_a_plain_folder_is_mean_pooled(tmp_path: Path) -> None:
    assert read_recipe(tmp_path) == Recipe(mode="mean", normalized=False)


@pytest.mark.parametrize(
    "pooling",
    [
        {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False, "word_embedding_dimension": 384},
        {"pooling_mode": "cls", "embedding_dimension": 384},
        {"pooling_mode": ["cls"]},
    ],
    ids=["old", "new", "list"],
)
def test_old_and_new_folders(tmp_path: Path, pooling: Any) -> None:
    write(
        tmp_path, ["Transformer", "Pooling", "Normalize"], pooling=pooling, sentence_bert_config={"max_seq_length": 9}
    )
    assert read_recipe(tmp_path) == Recipe(mode="cls", normalized=True, max_length=9)


def test_prompts(tmp_path: Path) -> None:
    settings = {"prompts": {"query": "q: ", "document": "", "text": "t: "}, "default_prompt_name": "text"}
    write(tmp_path, ["Transformer", "Pooling"], pooling={}, config_sentence_transformers=settings)
    recipe = read_recipe(tmp_path)
    assert (recipe.prompt("query"), recipe.prompt("passage", "document"), recipe.prompt()) == ("q: ", "t: ", "t: ")


@pytest.mark.parametrize(
    ("modules", "pooling", "settings"),
    [
        (["Transformer", "Pooling", "Dense"], {}, {}),
        (["Transformer", "Pooling", "LSTM"], {}, {}),
        (["Transformer", "Pooling"], {"pooling_mode": "lasttoken"}, {}),
        (["Transformer", "Pooling"], {"pooling_mode_weightedmean_tokens": True}, {}),
        (["Transformer", "Pooling"], {"pooling_mode": ["cls", "mean"]}, {}),
        (["Transformer", "Pooling"], {"pooling_mode_cls_token": True, "pooling_mode_max_tokens": True}, {}),
        (["Transformer", "Pooling"], {"include_prompt": False}, {"prompts": {"query": "q: "}}),
    ],
    ids=["dense", "lstm", "last", "weighted", "two in a list", "two modes", "prompts left out"],
)
def test_what_is_not_computed_is_refused(tmp_path: Path, modules: list[str], pooling: Any, settings: Any) -> None:
    write(tmp_path, modules, pooling=pooling, config_sentence_transformers=settings)
    with pytest.raises(ModelLoadError, match="more than this plugin computes"):
        read_recipe(tmp_path)


def test_lower_casing_outside_the_tokenizer_is_not_computed_here(tmp_path: Path) -> None:
    folder = write(tmp_path, ["Transformer", "Pooling"], sentence_bert_config={"do_lower_case": True})
    with pytest.raises(ModelLoadError, match="do_lower_case"):
        read_recipe(folder)


def test_the_mean_is_taken_in_float32() -> None:
    hidden = torch.full((1, 512, 1), 1.01, dtype=torch.bfloat16)
    assert pool(hidden, torch.ones(1, 512, dtype=torch.int64), "mean").item() == pytest.approx(hidden[0, 0, 0].item())


def test_no_token_gives_zeros() -> None:
    assert pool(torch.ones(1, 2, 3), torch.zeros(1, 2, dtype=torch.int64), "mean").tolist() == [[0.0, 0.0, 0.0]]


@pytest.mark.parametrize(
    ("pooling", "mode"),
    [
        ({"pooling_mode_max_tokens": True, "pooling_mode_cls_token": False}, "max"),
        ({"pooling_mode": "mean"}, "mean"),
        ({}, "mean"),
    ],
)
def test_modes(tmp_path: Path, pooling: Any, mode: str) -> None:
    assert read_recipe(write(tmp_path, ["Transformer", "Pooling"], pooling=pooling)) == Recipe(mode=mode)  # type: ignore[arg-type]
