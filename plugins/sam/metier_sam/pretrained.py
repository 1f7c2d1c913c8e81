"""Reading folders of transformers: without network, and without running code that lies in them."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import torch
from metier_contracts import ModelLoadError
from metier_contracts.authoring import quiet_transformers, read_pretrained
from transformers import AutoImageProcessor, AutoModelForMaskGeneration


def read_segmenter(folder: Path, dtype: torch.dtype) -> tuple[Any, Any]:
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
    module = read_pretrained(AutoModelForMaskGeneration, folder, dtype=dtype)
    with quiet_transformers():
        processor = AutoImageProcessor.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    _forget_positions(module)
    return module, processor


def _forget_positions(module: torch.nn.Module) -> None:
    """Let SAM 2 compute its sine positions each time: transformers keeps the last ones until the process ends."""
    for part in module.modules():
        if (build := getattr(part, "build_sine_position_embedding", None)) is not None:
            part.build_sine_position_embedding = inspect.unwrap(build)
