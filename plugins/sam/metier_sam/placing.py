"""Where a model's weights lie, the dtype it computes in, and the tensors that a value holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import torch
from metier_contracts import ConfigError, ModelCard, ModelLoadError, Placement
from metier_contracts.authoring import dtype_name


def folder_of(card: ModelCard, placement: Placement) -> Path:
    """Return the folder of the card's weights; raise `ModelLoadError` where there is none."""
    if placement.directory is None:
        raise ModelLoadError(
            f"no weights for {card.id}", expected="a folder", got="None", blame=f"`source` of the card {card.id}"
        )
    return placement.directory


def choose_dtype(placement: Placement, allowed: Iterable[torch.dtype] = (torch.float32,)) -> torch.dtype:
    """Return the dtype that `placement` names, by default float32, in which masks are as their authors publish them."""
    names = {dtype_name(dtype): dtype for dtype in allowed}
    name = placement.dtype or "float32"
    if name not in names:
        raise ConfigError("the model does not compute in that dtype", expected=" or ".join(names), got=repr(name))
    return names[name]


def tensors_in(value: Any) -> Iterator[torch.Tensor]:
    """Yield the tensors in nested tuples, lists, mappings and dataclasses."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping):
        yield from tensors_in(list(value.values()))
    elif is_dataclass(value):
        yield from tensors_in([getattr(value, field.name) for field in fields(value)])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from tensors_in(item)
