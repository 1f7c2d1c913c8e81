"""What a plugin's model offers the runtime."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from metier_contracts.card import ModelCard
from metier_contracts.context import CallContext
from metier_contracts.errors import MetierError
from metier_contracts.fit import FitRequest
from metier_contracts.request import Request, Response


@dataclass(frozen=True, slots=True)
class Placement:
    """Where and how `metier_load` shall place a model. Later minors may add fields, each with a default.

    `device`: "cpu", "cuda:N", "mps", or "remote" for a card with an endpoint. `dtype`: a torch dtype's name, or None
    for the model's best on that device. `directory`: the folder that holds the checked weights, or None for a model
    without any. `allow_pickle`: whether the user granted this model to be unpickled. `scratch`: a folder for what the
    plugin makes of the weights once, such as a converted checkpoint; it need not exist yet, and goes when the weights
    are removed. None: keep nothing.
    """

    device: str = "cpu"
    dtype: str | None = None
    directory: Path | None = None
    allow_pickle: bool = False
    scratch: Path | None = None


@runtime_checkable
class Model(Protocol):
    """A loaded model."""

    def infer(self, requests: Sequence[Request[Any]], context: CallContext) -> Sequence[Response | MetierError]:
        """Answer each request, in order. An item that fails is answered by its `MetierError`; its neighbours by theirs.

        Long work calls `context.check()` between its pieces.
        """
        ...

    def resident_bytes(self) -> int:
        """Return the bytes that the model holds now: its parameters and whatever it keeps between calls."""
        ...

    def close(self) -> None:
        """Release everything. The runtime calls it once, and nothing after it."""
        ...


@runtime_checkable
class StreamingModel(Model, Protocol):
    """A model that can answer piece by piece."""

    def stream(self, request: Request[Any], context: CallContext) -> Iterator[Response]:
        """Yield the pieces of the answer."""
        ...


@runtime_checkable
class FittableModel(Model, Protocol):
    """A model that others can be fitted from."""

    def fit(self, request: FitRequest, directory: Path, context: CallContext) -> ModelCard:
        """Write the fitted weights into `directory` and return their card.

        The runtime fills in source, sha256, and lineage, and keeps the folder only if this returns.
        """
        ...


@runtime_checkable
class PlacedModel(Model, Protocol):
    """A model that says where it really is, for the provenance of its answers."""

    @property
    def device(self) -> str:
        """The device, for example "cuda:0"."""
        ...

    @property
    def dtype(self) -> str | None:
        """The dtype it computes in, for example "bfloat16"."""
        ...
