"""Reading and writing transformers checkpoints: from one folder, without network and without running its code."""

from __future__ import annotations

import os
import pickle  # for the name of the error alone
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from metier_contracts import ModelLoadError, UnsafeWeightsError
from transformers.utils import logging as transformers_logging

Fresh = Literal["nothing", "pooler", "head"]

_LOADING_SWITCH = "HF_DEACTIVATE_ASYNC_LOAD"


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
    try:
        with quiet_transformers(), _one_loading_thread():
            network, report = auto_class.from_pretrained(
                folder,
                local_files_only=True,
                trust_remote_code=False,
                weights_only=True,
                use_safetensors=any(folder.glob("model*.safetensors")),
                output_loading_info=True,
                dtype=dtype,
                **settings,
            )
    except pickle.UnpicklingError as error:
        raise UnsafeWeightsError(
            f"the checkpoint in {folder} needs a full unpickler, which this plugin never uses",
            expected="safetensors, or a torch checkpoint that holds tensors alone",
            got=str(error).partition("\n")[0],
            hint="convert it to safetensors where you trust it",
        ) from error
    # The names within an encoder with a head begin with the encoder's; those of an encoder by itself do not.
    encoder = "" if network.base_model is network else f"{network.base_model_prefix}."
    missing = [name for name in sorted(report["missing_keys"]) if not _may_be_fresh(name, encoder, fresh)]
    if missing:
        raise ModelLoadError(
            f"the checkpoint in {folder} lacks weights",
            expected=", ".join(missing[:4]) + (f" and {len(missing) - 4} more" if len(missing) > 4 else ""),
            got="none of these",
            blame="the folder, or options.loader of the card",
        )
    return network.to(device).eval()


def _may_be_fresh(name: str, encoder: str, fresh: Fresh) -> bool:
    """Tell whether a missing tensor is none that would answer at random in place of a trained one."""
    if fresh == "nothing":
        return False
    pooler = ".pooler." in f".{name}"
    return pooler or (fresh == "head" and not name.startswith(encoder))


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep transformers' progress bars and load reports off the caller's terminal: failures raise."""
    verbosity, bars = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()


@contextmanager
def _one_loading_thread() -> Iterator[None]:
    """Let transformers convert tensors in this thread.

    In threads of its own, each with an arena of the allocator, ten loads leave behind more than the model weighs.
    """
    before = os.environ.get(_LOADING_SWITCH)
    os.environ[_LOADING_SWITCH] = "1"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_LOADING_SWITCH, None)
        else:
            os.environ[_LOADING_SWITCH] = before


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
