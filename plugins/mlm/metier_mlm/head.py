"""The sentence-head loader: an encoder with a fitted logistic head beside it, in one folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from metier_contracts import (
    CallContext,
    Capabilities,
    Classification,
    InputError,
    ModelCard,
    Placement,
    Request,
)
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from metier_mlm.answering import Answer, CheckpointModel, answered
from metier_mlm.checkpoint import load_errors
from metier_mlm.classifying import classify_logits
from metier_mlm.encoder import Encoder, read_encoder
from metier_mlm.logistic import LogisticHead

WEIGHTS, LABELS = "head.safetensors", "head.json"


def load(card: ModelCard, placement: Placement) -> HeadModel:
    """Return the model of a folder that `write` made."""
    folder = Path(str(placement.directory))
    encoder = read_encoder(card, placement)
    with load_errors(card):
        tensors = load_file(folder / WEIGHTS)
        labels = tuple(json.loads((folder / LABELS).read_text(encoding="utf-8"))["labels"])
    return HeadModel(card, encoder, LogisticHead(labels, tensors["weights"], tensors["intercepts"]))


def write(head: LogisticHead, base: ModelCard, placement: Placement, directory: Path) -> ModelCard:
    """Write the head and a copy of the encoder, so that the folder needs nothing else, and return its card."""
    shutil.copytree(
        Path(str(placement.directory)), directory, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.lock")
    )
    save_file({"weights": head.weights, "intercepts": head.intercepts}, directory / WEIGHTS)
    (directory / LABELS).write_text(json.dumps({"labels": head.labels}), encoding="utf-8")
    languages = base.tasks["classify"].languages if "classify" in base.tasks else ()
    return base.model_copy(
        update={
            "options": {"loader": "sentence-head"},
            "bytes": base.bytes + head.nbytes,
            "download_bytes": None,
            "parameters": base.parameters + head.weights.size + head.intercepts.size,
            "summary": f"A logistic head on {base.id}.",
            "tasks": {"classify": Capabilities(labels=head.labels, multi_label=True, languages=languages)},
            "quality": (),
        }
    )


class HeadModel(CheckpointModel):
    """Classifies by the labels that the head was fitted for."""

    def __init__(self, card: ModelCard, encoder: Encoder, head: LogisticHead) -> None:
        super().__init__(card, encoder.checkpoint)
        self._encoder: Encoder | None = encoder
        self._head = head

    def infer(self, requests: Sequence[Request[Any]], context: CallContext) -> list[Answer]:
        """Answer each request, in order."""
        self.checkpoint  # noqa: B018  (raises where the model is closed)
        if not requests or self._encoder is None:
            return []
        vectors = self._encoder.encode([getattr(request, "text", None) or "" for request in requests], context)
        return [answered(self._answer, request, vector) for request, vector in zip(requests, vectors, strict=True)]

    def _answer(self, request: Any, vector: NDArray[np.float32]) -> Classification:
        if request.examples is not None:
            raise InputError(
                "a fitted head takes no examples", expected="labels=None", got="examples", blame="the choice of model"
            )
        logits = self._head.weights @ vector.astype(np.float64) + self._head.intercepts
        return classify_logits(logits, self._head.labels, request.choices, request.multi_label)

    def resident_bytes(self) -> int:
        """Return the bytes of the network and the head."""
        return self._bytes + self._head.nbytes

    def close(self) -> None:
        """Let go of the network."""
        super().close()
        self._encoder = None
