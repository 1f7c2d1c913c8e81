"""`TextModel`: what all loaders of transformers checkpoints share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from metier_contracts import CallContext, InferenceError, InputError, MetierError, ModelCard, Request, Response
from metier_contracts.authoring import attempt
from tokenizers import Encoding

from metier_mlm.forward import Batch, Network, Row
from metier_mlm.tokens import TextInput, TextTokenizer


@dataclass(frozen=True, slots=True)
class Piece:
    """What came of one window of an input: its tokens, and its row of the reduction."""

    encoding: Encoding
    row: Row


@dataclass(frozen=True, slots=True)
class Job:
    """What one request needs: the inputs to read, and how their pieces (one list an input) become the response."""

    inputs: Sequence[TextInput]
    finish: Callable[[Sequence[Sequence[Piece]]], Response]


class TextModel(ABC):
    """A model that reads texts: all texts of all requests of a call are tokenised and batched together.

    Args:
        card: the model's card.
        tokenizer: turns texts into tokens.
        network: turns tokens into rows.
    """

    def __init__(self, card: ModelCard, tokenizer: TextTokenizer, network: Network) -> None:
        self.card = card
        self._tokenizer = tokenizer
        self._network = network

    @property
    def device(self) -> str:
        """The device, for example "cuda:0"."""
        return self._network.device

    @property
    def dtype(self) -> str:
        """The dtype of the weights, for example "bfloat16"."""
        return self._network.dtype

    def infer(self, requests: Sequence[Request[Any]], context: CallContext) -> Sequence[Response | MetierError]:
        """Answer each request, in order; an item that fails is answered by its error.

        Raises:
            DeadlineExceeded, Cancelled: the caller no longer waits; checked before each forward pass.
        """
        jobs = [attempt(partial(self._plan, request, context)) for request in requests]
        # A text that several requests share, such as the query of many rankings, is read once.
        inputs = dict.fromkeys(item for job in jobs if isinstance(job, Job) for item in job.inputs)
        pieces = self._read(list(inputs), context)
        return [job if isinstance(job, MetierError) else attempt(partial(_finish, job, pieces)) for job in jobs]

    @abstractmethod
    def _plan(self, request: Request[Any], context: CallContext) -> Job:
        """Return what the request needs; raise where it cannot be served."""

    @abstractmethod
    def _reduce(self, output: Any, batch: Batch) -> torch.Tensor:
        """Return one row for each input of a batch, from the module's output on it."""

    def _read(self, inputs: Sequence[TextInput], context: CallContext) -> dict[TextInput, list[Piece] | MetierError]:
        """Return the pieces of each distinct input, or the error of one that failed."""
        context.check()
        encodings: list[Encoding] = []
        spans: list[tuple[int, int] | InputError] = []
        for encoded in self._tokenizer.encode(inputs) if inputs else ():
            if isinstance(encoded, InputError):
                spans.append(encoded)
                continue
            windows = [encoded, *encoded.overflowing] if self._tokenizer.windows else [encoded]
            spans.append((len(encodings), len(encodings) + len(windows)))
            encodings += windows
        rows = self._network.run(encodings, self._reduce, context)
        return {
            item: span if isinstance(span, InputError) else _pieces(encodings[slice(*span)], rows[slice(*span)])
            for item, span in zip(inputs, spans, strict=True)
        }

    def resident_bytes(self) -> int:
        """Return the bytes held now: weights, and what is kept between calls."""
        return self._network.resident_bytes()

    def close(self) -> None:
        """Drop the weights."""
        self._network.close()


def _pieces(encodings: Sequence[Encoding], rows: Sequence[Row | InferenceError]) -> list[Piece] | MetierError:
    pieces = []
    for encoding, row in zip(encodings, rows, strict=True):
        if isinstance(row, MetierError):
            return row
        pieces.append(Piece(encoding, row))
    return pieces


def _finish(job: Job, pieces: dict[TextInput, list[Piece] | MetierError]) -> Response:
    own = []
    for item in job.inputs:
        found = pieces[item]
        if isinstance(found, MetierError):
            raise found
        own.append(found)
    return job.finish(own)
