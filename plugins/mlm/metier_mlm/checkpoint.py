"""Reading and writing transformers checkpoints: from one folder, without network and without running its code."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import torch
from metier_contracts import ModelLoadError
from metier_contracts.authoring import read_pretrained

Fresh = Literal["nothing", "pooler", "head"]


def load_network(
    auto_class: Any, folder: Path, dtype: torch.dtype, device: str, *, fresh: Fresh = "nothing", **settings: Any
) -> Any:
    """Return the module that `auto_class` (`AutoModel`, ...) reads from `folder`, in evaluation mode on `device`.

    Weights are read from safetensors, else from a torch checkpoint by `torch.load(weights_only=True)`. `fresh`: the
    part that may be absent from the checkpoint, and is then drawn at random.

    Raises:
        UnsafeWeightsError: the torch checkpoint holds more than tensors.
        ModelLoadError: weights that the architecture needs are missing, or have other shapes.
    """

    def may_be_fresh(network: Any, name: str) -> bool:
        # The names within an encoder with a head begin with the encoder's; those of an encoder by itself do not.
        encoder = "" if network.base_model is network else f"{network.base_model_prefix}."
        return _may_be_fresh(name, encoder, fresh)

    return read_pretrained(auto_class, folder, fresh=may_be_fresh, dtype=dtype, **settings).to(device)


def _may_be_fresh(name: str, encoder: str, fresh: Fresh) -> bool:
    """Tell whether a missing tensor is none that would answer at random in place of a trained one."""
    if fresh == "nothing":
        return False
    pooler = ".pooler." in f".{name}"
    return pooler or (fresh == "head" and not name.startswith(encoder))


def checkpoint_folder(directory: Path, subfolder: str) -> Path:
    """Return the folder of the checkpoint; raise `ModelLoadError` where it holds no config.json."""
    folder = directory / subfolder
    if not (folder / "config.json").is_file():
        raise ModelLoadError(
            f"{folder} holds no checkpoint",
            expected="a config.json and weights in safetensors",
            got=", ".join(sorted(path.name for path in directory.iterdir())[:8]) or "an empty folder",
            blame="`source` of the card, or options.subfolder",
        )
    return folder
