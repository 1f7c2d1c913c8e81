"""What the models of this plugin share: one answer a request, errors item by item, size, closing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from metier_contracts import CallContext, InferenceError, MetierError, ModelCard, Request, Response

from metier_mlm.checkpoint import Checkpoint, storage_bytes

Answer = Response | MetierError


class CheckpointModel(ABC):
    """A model around a checkpoint of transformers."""

    def __init__(self, card: ModelCard, checkpoint: Checkpoint) -> None:
        self.card = card
        self._checkpoint: Checkpoint | None = checkpoint
        self._bytes = storage_bytes(checkpoint.network)

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint, until the model is closed."""
        if self._checkpoint is None:
            raise InferenceError(f"the model {self.card.id!r} is closed")
        return self._checkpoint

    @property
    def device(self) -> str:
        """Where the network is."""
        return self.checkpoint.device

    @property
    def dtype(self) -> str:
        """What the network computes in."""
        return self.checkpoint.dtype

    @abstractmethod
    def infer(self, requests: Sequence[Request[Any]], context: CallContext) -> list[Answer]:
        """Answer each request, in order."""

    def resident_bytes(self) -> int:
        """Return the bytes of the network's parameters and buffers."""
        return self._bytes

    def close(self) -> None:
        """Let go of the network."""
        self._checkpoint = None


def answered(answer: Callable[..., Response], *arguments: Any) -> Answer:
    """Return `answer(*arguments)`, or the error of this one item."""
    try:
        return answer(*arguments)
    except MetierError as error:
        return error
    except (ValueError, RuntimeError, IndexError, KeyError) as error:
        failure = InferenceError("the model could not answer this request", got=f"{type(error).__name__}: {error}")
        failure.__cause__ = error
        return failure
