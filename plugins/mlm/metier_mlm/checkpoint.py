"""Reading checkpoints of transformers from a folder, without network and without running code from it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from metier_contracts import ModelCard, ModelLoadError, Placement


@dataclass(frozen=True)
class Checkpoint:
    """A tokenizer and a network, placed and ready to infer."""

    tokenizer: Any
    network: Any
    device: str
    dtype: str

    @property
    def max_length(self) -> int:
        """The most tokens that one input may have: the lesser of the tokenizer's and the network's limit."""
        positions = int(getattr(self.network.config, "max_position_embeddings", 512))
        # RoBERTa and its kin number positions from padding_idx + 1, which takes two of them.
        reserved = 2 if "roberta" in str(self.network.config.model_type) else 0
        return min(int(self.tokenizer.model_max_length), positions - reserved)


def read(card: ModelCard, placement: Placement, kind: str) -> Checkpoint:
    """Return the checkpoint in the placement's folder, read by the Auto class `kind` of transformers.

    Weights come from safetensors, or from a torch file by its restricted reader, which runs no code.
    """
    folder = folder_of(card, placement)
    dtype = choose_dtype(placement)
    with quiet(), load_errors(card):
        tokenizer = read_tokenizer(card, folder)
        network = getattr(transformers, kind).from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False, weights_only=True, dtype=dtype
        )
        network = network.to(placement.device).eval().requires_grad_(False)
    return Checkpoint(tokenizer, network, placement.device, str(dtype).removeprefix("torch."))


def folder_of(card: ModelCard, placement: Placement) -> Path:
    """Return the folder of the network: the placement's, or the one below it that `options.folder` names."""
    if placement.directory is None:
        raise ModelLoadError(f"the card {card.id!r} has no weights", blame=f"the card {card.id!r}")
    return placement.directory / str(card.options.get("folder", "."))


def read_tokenizer(card: ModelCard, folder: Path) -> Any:
    """Return the fast tokenizer of a folder, or the one of a bare `options.vocabulary` file of BERT's format."""
    vocabulary = card.options.get("vocabulary")
    if vocabulary is not None:
        tokenizer = transformers.BertTokenizer(vocab=str(folder / str(vocabulary)), do_lower_case=False)
        tokenizer.model_max_length = int(card.options.get("max_length", 512))
        return tokenizer
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    if not tokenizer.is_fast:
        raise ModelLoadError(
            f"the tokenizer of {card.id!r} is a slow one",
            expected="a folder with tokenizer.json, or a tokenizer that converts to one",
            got=type(tokenizer).__name__,
            blame=f"the checkpoint of {card.id!r}",
        )
    return tokenizer


def choose_dtype(placement: Placement) -> torch.dtype:
    """Return the dtype asked for, else bfloat16 where the device computes in it, else float32."""
    if placement.dtype is not None:
        return getattr(torch, placement.dtype)  # type: ignore[no-any-return]
    return torch.bfloat16 if _has_bfloat16(placement.device) else torch.float32


def _has_bfloat16(device: str) -> bool:
    if device == "cpu":
        able = torch.cpu.get_capabilities()
        return any(bool(able.get(name)) for name in ("avx512_bf16", "amx_bf16", "arm_bf16", "bf16"))
    return device.startswith("cuda") and torch.cuda.is_bf16_supported()


@contextmanager
def load_errors(card: ModelCard) -> Iterator[None]:
    """Turn what transformers raises over a folder into a `ModelLoadError` that names the card."""
    try:
        yield
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        raise ModelLoadError(
            f"the checkpoint of {card.id!r} cannot be read",
            expected="config.json, tokenizer.json and model.safetensors as transformers saves them",
            got=f"{type(error).__name__}: {error}"[:500],
            blame=f"the files of {card.source}, or options.loader of the card",
        ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' progress bar and its report of unused weights off the terminal."""
    log = logging.getLogger("transformers")
    level, bar = log.level, transformers.utils.logging.is_progress_bar_enabled()
    log.setLevel(logging.ERROR)
    transformers.utils.logging.disable_progress_bar()
    try:
        yield
    finally:
        log.setLevel(level)
        if bar:
            transformers.utils.logging.enable_progress_bar()


def storage_bytes(network: Any) -> int:
    """Return the bytes of a network's parameters and buffers, each storage once."""
    tensors: Iterable[torch.Tensor] = [*network.parameters(), *network.buffers()]
    return sum({tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors}.values())
