"""Reading causal language models: from one folder, without network and without running its code."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from metier_contracts import ConfigError, ModelCard, ModelLoadError, Placement
from metier_contracts.authoring import quiet_transformers, read_pretrained
from transformers import AutoModelForCausalLM, AutoTokenizer

from metier_llm.conversion import converted
from metier_llm.options import CausalOptions


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a folder holds. `ends`: the tokens that end the model's turn. `context`: the most tokens of one sequence."""

    module: Any
    tokenizer: Any
    ends: frozenset[int]
    context: int


def read_checkpoint(card: ModelCard, options: CausalOptions, placement: Placement) -> Checkpoint:
    """Return the model of a card, in evaluation mode on its device.

    Raises:
        ModelLoadError: the folder holds no causal language model, lacks weights, or the architecture remembers by more
            than keys and values.
        UnsafeWeightsError: its torch checkpoint holds more than tensors.
    """
    if placement.directory is None:
        raise ModelLoadError(
            f"no weights for {card.id}", expected="a folder", got="None", blame=f"`source` of the card {card.id}"
        )
    folder = placement.directory / options.subfolder
    if options.gguf_file is None:
        return _read(folder, placement)
    if placement.scratch is not None:
        return _read(converted(folder, options.gguf_file, placement.scratch), placement)
    with tempfile.TemporaryDirectory() as scratch:
        return _read(converted(folder, options.gguf_file, Path(scratch)), placement)


def _read(folder: Path, placement: Placement) -> Checkpoint:
    if not (folder / "config.json").is_file():
        raise ModelLoadError(
            f"{folder} holds no checkpoint",
            expected="a config.json, a tokenizer, and weights in safetensors",
            got=", ".join(sorted(path.name for path in folder.glob("*"))[:8]) or "no file",
            blame="`source` of the card, options.subfolder or options.gguf_file",
        )
    module = read_pretrained(AutoModelForCausalLM, folder, dtype=_dtype(placement))
    with quiet_transformers():
        tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    config = module.config.get_text_config()
    _check_memory(folder, config)
    if not tokenizer.is_fast:
        raise ModelLoadError(
            f"the tokenizer in {folder} cannot be used",
            expected="a tokenizer.json, as the library tokenizers writes it",
            got=type(tokenizer).__name__,
            blame="the folder",
        )
    ends = _ends(module.generation_config.eos_token_id) | _ends(tokenizer.eos_token_id)
    return Checkpoint(module.to(placement.device), tokenizer, ends, config.max_position_embeddings)


def _check_memory(folder: Path, config: Any) -> None:
    """Refuse architectures whose layers keep a state of their own, which sequences that join and leave would mix."""
    kinds = set(getattr(config, "layer_types", None) or ())
    if strange := kinds - {"full_attention", "sliding_attention", "chunked_attention"}:
        raise ModelLoadError(
            f"the architecture {config.model_type} in {folder} is not supported",
            expected="layers of attention, which remember by keys and values alone",
            got=f"layers of {', '.join(sorted(strange))}",
            blame="the choice of model",
            hint="serve it with a server of its own, and reach it by a card of the loader openai",
        )


def _ends(tokens: int | list[int] | None) -> frozenset[int]:
    return frozenset(() if tokens is None else [tokens] if isinstance(tokens, int) else tokens)


def _dtype(placement: Placement) -> torch.dtype:
    """Return the dtype that `placement` names, by default bfloat16 on cuda and float32 elsewhere.

    On a CPU the words of a bfloat16 model depend on what is decoded beside them: its products round differently for
    different numbers of rows, and a tie that falls the other way changes all that follows.
    """
    name = placement.dtype or ("bfloat16" if placement.device.startswith("cuda") else "float32")
    dtype = getattr(torch, name, None)
    if isinstance(dtype, torch.dtype) and dtype.is_floating_point:
        return dtype
    raise ConfigError(
        "no such dtype", expected="a floating dtype of torch, such as float32 or bfloat16", got=repr(name)
    )
