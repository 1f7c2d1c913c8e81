"""`Encoder`: texts to sentence vectors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from metier_contracts import CallContext, ModelCard, ModelLoadError, Placement
from numpy.typing import NDArray

from metier_mlm.batching import run_in_batches
from metier_mlm.checkpoint import Checkpoint, read

_POOLINGS = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}


class Encoder:
    """A network, the pooling of its token states, and the most tokens it reads of a text.

    A folder of sentence-transformers says all of it in modules.json; a plain encoder of transformers is pooled by the
    mean. Vectors have norm 1.
    """

    def __init__(self, checkpoint: Checkpoint, pooling: str, max_length: int) -> None:
        self.checkpoint = checkpoint
        self.pooling = pooling
        self.max_length = max_length

    def encode(self, texts: Sequence[str], context: CallContext) -> NDArray[np.float32]:
        """Return float32 [N, D], rows of norm 1. A text longer than `max_length` tokens is cut off there."""
        checkpoint = self.checkpoint
        encoded = checkpoint.tokenizer(
            list(texts),
            truncation=True,
            max_length=self.max_length,
            return_attention_mask=False,
            return_token_type_ids=False,
        )
        padding = checkpoint.tokenizer.pad_token_id
        return np.stack(run_in_batches(encoded, padding, checkpoint.device, self._forward, context))

    def _forward(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        mask = inputs["attention_mask"]
        # Where nothing is padded the mask says nothing, and attention without one is faster.
        unpadded = bool(mask.all())
        states = self.checkpoint.network(
            input_ids=inputs["input_ids"], attention_mask=None if unpadded else mask
        ).last_hidden_state.float()
        if self.pooling == "cls":
            pooled = states[:, 0]
        elif unpadded:
            pooled = states.mean(dim=1)
        else:
            weights = mask.unsqueeze(-1).float()
            pooled = (states * weights).sum(dim=1) / weights.sum(dim=1)
        return torch.nn.functional.normalize(pooled, dim=1)


def read_encoder(card: ModelCard, placement: Placement) -> Encoder:
    """Return the encoder in the placement's folder."""
    checkpoint = read(card, placement, "AutoModel")
    folder = Path(str(placement.directory))
    _refuse_other_modules(card, folder)
    configured = _json(folder / "sentence_bert_config.json").get("max_seq_length")
    max_length = min(checkpoint.max_length, int(configured or checkpoint.max_length))
    return Encoder(checkpoint, _pooling(card, folder), max_length)


def _refuse_other_modules(card: ModelCard, folder: Path) -> None:
    """Refuse a folder whose vectors this encoder would not make as sentence-transformers does."""
    kinds = [str(module["type"]).rpartition(".")[2] for module in _json(folder / "modules.json", [])]
    if (kinds and kinds[:2] != ["Transformer", "Pooling"]) or set(kinds[2:]) - {"Normalize"}:
        raise ModelLoadError(
            f"the modules of {card.id!r} are not known here",
            expected="Transformer, Pooling and perhaps Normalize in modules.json",
            got=", ".join(kinds),
            blame=f"the checkpoint of {card.id!r}",
        )


def _pooling(card: ModelCard, folder: Path) -> str:
    config = _json(folder / "1_Pooling" / "config.json")
    modes = [name for name, value in config.items() if name.startswith("pooling_mode") and value is True]
    named = config.get("pooling_mode") or config.get("pooling_mode_tokens")
    if not modes and not named:
        return "mean"
    pooling = str(named) if named else _POOLINGS.get(modes[0], modes[0])
    if pooling not in _POOLINGS.values() or len(modes) > 1:
        raise ModelLoadError(
            f"the pooling of {card.id!r} is not known here",
            expected="mean or cls",
            got=", ".join(modes) or pooling,
            blame=f"the checkpoint of {card.id!r}",
        )
    return pooling


def _json(path: Path, default: Any = None) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else ({} if default is None else default)
