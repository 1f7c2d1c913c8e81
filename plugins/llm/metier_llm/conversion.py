"""GGUF files, converted once: to read one takes several times as long as to read the same tensors in safetensors."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from metier_contracts import ModelLoadError
from metier_contracts.authoring import quiet_transformers
from transformers import AutoModelForCausalLM, AutoTokenizer, modeling_gguf_pytorch_utils

_RECORD = "converted.json"
_WEIGHTS = "model.safetensors"


def converted(folder: Path, file: str, scratch: Path) -> Path:
    """Return the folder of transformers below `scratch` that holds what is in the GGUF file, dequantised to float32.

    It is made at the first call, and made anew where its weights are no longer what was written.
    """
    source = folder / file
    if not source.is_file():
        raise ModelLoadError(
            f"{source} is not there",
            expected=f"the GGUF file {file}",
            got=", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "an empty folder",
            blame="`source` of the card, or options.gguf_file",
        )
    target = scratch / _digest(source)
    if not _is_whole(target):
        partial = scratch / f"{target.name}.{secrets.token_hex(4)}"
        try:
            _convert(folder, file, partial)
            shutil.rmtree(target, ignore_errors=True)
            _publish(partial, target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return target


def _convert(folder: Path, file: str, into: Path) -> None:
    into.mkdir(parents=True)
    with quiet_transformers(), _bar_on_a_terminal():
        read: Any = AutoModelForCausalLM.from_pretrained(
            folder, gguf_file=file, dtype=torch.float32, local_files_only=True, trust_remote_code=False
        )
        tokenizer = AutoTokenizer.from_pretrained(
            folder, gguf_file=file, local_files_only=True, trust_remote_code=False
        )
        # A module made of the plain configuration: the one that was read would be written as quantised.
        if hasattr(read.config, "quantization_config"):
            del read.config.quantization_config
        module: Any = AutoModelForCausalLM.from_config(read.config, dtype=torch.float32, trust_remote_code=False)
        module.load_state_dict(read.state_dict())
        module.tie_weights()
        module.generation_config = read.generation_config
        module.save_pretrained(into, max_shard_size="1TB")
        tokenizer.save_pretrained(into)
    (into / _RECORD).write_text(json.dumps({_WEIGHTS: _digest(into / _WEIGHTS)}), encoding="utf-8")


@contextmanager
def _bar_on_a_terminal() -> Iterator[None]:
    """Let the bar that transformers always draws be seen on a terminal alone."""
    before = modeling_gguf_pytorch_utils.tqdm
    modeling_gguf_pytorch_utils.tqdm = partial(before, disable=None, leave=False)
    try:
        yield
    finally:
        modeling_gguf_pytorch_utils.tqdm = before


def _publish(partial: Path, target: Path) -> None:
    try:
        partial.rename(target)
    except OSError:
        # Another process was first. What it made is the same.
        if not _is_whole(target):
            raise


def _is_whole(folder: Path) -> bool:
    try:
        record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        return bool(record[_WEIGHTS] == _digest(folder / _WEIGHTS))
    except (OSError, ValueError, KeyError):
        return False


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
