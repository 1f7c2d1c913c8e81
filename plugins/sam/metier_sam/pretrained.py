"""Reading folders of transformers: without network, and without running code that lies in them."""

from __future__ import annotations

import inspect
import os
import pickle  # for the name of the error alone
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from metier_contracts import ModelLoadError, UnsafeWeightsError
from transformers import AutoImageProcessor, AutoModelForMaskGeneration
from transformers.utils import logging as transformers_logging

_LOADING_SWITCH = "HF_DEACTIVATE_ASYNC_LOAD"


def read_pretrained(folder: Path, dtype: torch.dtype) -> tuple[Any, Any]:
    """Return the mask generation model in `folder`, in evaluation mode, and its image processor.

    Raises:
        UnsafeWeightsError: its torch checkpoint holds more than tensors.
        ModelLoadError: it is no such folder, or lacks weights that the architecture needs.
    """
    if not (folder / "config.json").is_file():
        raise ModelLoadError(
            f"{folder} holds no model of transformers",
            expected="config.json, preprocessor_config.json and weights in safetensors",
            got=", ".join(sorted(path.name for path in folder.glob("*"))[:8]) or "no file",
            blame="`source` of the card, or options.subfolder",
        )
    try:
        with _quiet(), _one_loading_thread():
            module, report = AutoModelForMaskGeneration.from_pretrained(
                folder,
                local_files_only=True,
                trust_remote_code=False,
                weights_only=True,
                use_safetensors=any(folder.glob("model*.safetensors")),
                output_loading_info=True,
                dtype=dtype,
            )
            processor = AutoImageProcessor.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except pickle.UnpicklingError as error:
        raise UnsafeWeightsError(
            f"the checkpoint in {folder} needs a full unpickler, which this plugin never uses",
            expected="safetensors, or a torch checkpoint that holds tensors alone",
            got=str(error).partition("\n")[0],
            hint="convert it to safetensors where you trust it",
        ) from error
    if missing := sorted(report["missing_keys"]):
        raise ModelLoadError(
            f"the checkpoint in {folder} lacks weights",
            expected=", ".join(missing[:4]) + (f" and {len(missing) - 4} more" if len(missing) > 4 else ""),
            got="none of these",
            blame="the folder",
        )
    _forget_positions(module)
    return module.eval(), processor


def _forget_positions(module: torch.nn.Module) -> None:
    """Let SAM 2 compute its sine positions each time: transformers keeps the last ones until the process ends."""
    for part in module.modules():
        if (build := getattr(part, "build_sine_position_embedding", None)) is not None:
            part.build_sine_position_embedding = inspect.unwrap(build)


@contextmanager
def _quiet() -> Iterator[None]:
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
    """Let transformers convert tensors in this thread: threads of its own leave memory behind at each load."""
    before = os.environ.get(_LOADING_SWITCH)
    os.environ[_LOADING_SWITCH] = "1"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_LOADING_SWITCH, None)
        else:
            os.environ[_LOADING_SWITCH] = before
