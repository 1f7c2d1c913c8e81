"""From token vectors to one vector a text, as the folder of a sentence-transformers model says."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import torch
from metier_contracts import ModelLoadError

Mode = Literal["mean", "cls", "max"]
# Names of pooling modes in 1_Pooling/config.json, before and since sentence-transformers 5.
_MODES: dict[str, Mode] = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
}


@dataclass(frozen=True)
class Recipe:
    """How a folder turns tokens into vectors.

    `normalized`: whether the vectors have length 1. `max_length`: the most tokens of one text, None where the folder
    does not say. `prompts`: what is put before a text, by use ("query", "passage", ...). `default_prompt`: the use that
    stands for all.
    """

    mode: Mode = "mean"
    normalized: bool = False
    max_length: int | None = None
    prompts: dict[str, str] = field(default_factory=dict)
    default_prompt: str | None = None

    def prompt(self, *uses: str) -> str:
        """Return the prompt of the first of these uses that has one, else the default one, else nothing."""
        return next((self.prompts[use] for use in (*uses, self.default_prompt) if use in self.prompts), "")


def read_recipe(folder: Path) -> Recipe:
    """Return the recipe of a sentence-transformers folder; a plain transformers folder is mean-pooled, not normalised.

    Raises `ModelLoadError` for modules or pooling modes that this plugin does not compute.
    """
    modules = _read(folder / "modules.json", [])
    kinds = {module["type"].rpartition(".")[2]: module for module in modules}
    if strangers := kinds.keys() - {"Transformer", "Pooling", "Normalize"}:
        raise _unknown(folder, f"the module {sorted(strangers)[0]}", "Transformer, Pooling and Normalize")
    settings = _read(folder / "config_sentence_transformers.json", {})
    pooling = _read(folder / kinds["Pooling"]["path"] / "config.json", {}) if "Pooling" in kinds else {}
    prompts = {use: prompt for use, prompt in (settings.get("prompts") or {}).items() if prompt}
    if prompts and not pooling.get("include_prompt", True):
        raise _unknown(folder, "prompts that are left out of the pooling", "prompts that are pooled with the text")
    reading = _read(folder / "sentence_bert_config.json", {})
    if reading.get("do_lower_case"):
        raise _unknown(folder, "do_lower_case", "a tokenizer that itself turns text into lower case")
    return Recipe(
        mode=_mode(folder, pooling),
        normalized="Normalize" in kinds,
        max_length=reading.get("max_seq_length"),
        prompts=prompts,
        default_prompt=settings.get("default_prompt_name"),
    )


def _mode(folder: Path, pooling: dict[str, Any]) -> Mode:
    named = pooling.get("pooling_mode")
    chosen = named or [name for name, on in pooling.items() if name.startswith("pooling_mode_") and on]
    modes = [_MODES.get(name, name) for name in ([chosen] if isinstance(chosen, str) else chosen)] or ["mean"]
    if len(modes) == 1 and modes[0] in _MODES.values():
        return cast("Mode", modes[0])
    raise _unknown(folder, f"pooling by {' and '.join(map(str, modes))}", "mean, cls or max")


def _unknown(folder: Path, got: str, expected: str) -> ModelLoadError:
    return ModelLoadError(
        f"the sentence encoder in {folder} does more than this plugin computes", expected=expected, got=got
    )


def _read(path: Path, otherwise: Any) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else otherwise


def pool(hidden: torch.Tensor, mask: torch.Tensor, mode: Mode) -> torch.Tensor:
    """Return float32 [B, D] from token vectors [B, L, D] and their mask int64 [B, L], computed in float32."""
    vectors = hidden.float()
    if mode == "cls":
        return vectors[:, 0]
    weights = mask.unsqueeze(-1)
    if mode == "max":
        return vectors.masked_fill(weights == 0, float("-inf")).amax(dim=1)
    # A text without any token, where a tokenizer adds none of its own, has a vector of zeros.
    return (vectors * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)
