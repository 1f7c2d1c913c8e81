"""`IsolatedModel`: a model that lives in a worker, as the runtime sees it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from metier_contracts import (
    CallContext,
    Cancelled,
    DeadlineExceeded,
    FitRequest,
    MetierError,
    ModelCard,
    ModelLoadError,
    Placement,
    Request,
    Response,
    WorkerDiedError,
)
from metier_contracts.beside import arrays_beside

from metier.isolation import wire
from metier.tasks import Tasks

if TYPE_CHECKING:
    from metier.isolation.process import Process
    from metier.isolation.supervision import Worker

_PATIENCE_SECONDS = 1.0
_CLOSE_SECONDS = 10.0


class _Said(NamedTuple):
    """What a model said of itself when it was loaded."""

    device: str | None
    dtype: str | None
    streams: bool
    fits: bool


_UNSAID = _Said(None, None, streams=False, fits=False)


@dataclass(eq=False)
class Tenancy:
    """A model's place in a worker's process; `settle` makes it anew in the next process."""

    card: ModelCard
    placement: Placement
    load_timeout: float
    tasks: Tasks
    home: Process | None = None
    number: int = 0
    said: _Said = _UNSAID
    _settling: threading.Lock = field(default_factory=threading.Lock)

    def settle(self, process: Process) -> int:
        """Return the number by which this process knows the model, which is loaded there unless it was before."""
        with self._settling:
            if self.home is not process:
                number = process.new_number()
                header = {
                    "do": "load",
                    "model": number,
                    "card": self.card.to_json(),
                    "placement": wire.write_placement(self.placement),
                }
                try:
                    said, _ = process.request(header, limit=self.load_timeout)
                except TimeoutError:
                    raise self._too_slow() from None
                self.said = _Said(said["device"], said["dtype"], said["streams"], said["fits"])
                self.home, self.number = process, number
            return self.number

    def _too_slow(self) -> ModelLoadError:
        return ModelLoadError(
            f"the model {self.card.id!r} was not loaded in time",
            expected=f"at most {self.load_timeout:g} s",
            got="no end of it; its worker process was stopped",
            hint="allow more with the setting load_timeout, or see what the plugin waits for",
        )


class IsolatedModel:
    """Forwards each call to the worker. After a death the model is loaded again by the next call."""

    def __init__(self, worker: Worker, tenancy: Tenancy) -> None:
        self._worker = worker
        self._tenancy = tenancy
        self._bytes: int | None = None

    @property
    def device(self) -> str:
        """Where the model is, by its own word, else where it was put."""
        return self._tenancy.said.device or self._tenancy.placement.device

    @property
    def dtype(self) -> str | None:
        """What the model computes in, where it says so."""
        return self._tenancy.said.dtype or self._tenancy.placement.dtype

    def infer(self, requests: Sequence[Request[Any]], context: CallContext) -> Sequence[Response | MetierError]:
        """Answer each request. If the process dies at them, each is sent once more, by itself, where that is no harm.

        A request at which the process dies again is answered by `WorkerDiedError`.
        """
        try:
            return self._worker.run(lambda process: self._infer(process, requests, context), context)
        except WorkerDiedError as error:
            if not self._tenancy.tasks.get(requests[0].task).idempotent:
                return [error] * len(requests)
        return [answer for request in requests for answer in self._once_more(request, context)]

    def _once_more(self, request: Request[Any], context: CallContext) -> Sequence[Response | MetierError]:
        try:
            return self._worker.run_alone(lambda process: self._infer(process, [request], context), context)
        except (DeadlineExceeded, Cancelled):
            raise
        except WorkerDiedError as error:
            error.got = f"{error.got}; it was the second at this request, which was sent by itself the second time"
            return [error]
        except MetierError as error:
            return [error]

    def _infer(
        self, process: Process, requests: Sequence[Request[Any]], context: CallContext
    ) -> Sequence[Response | MetierError]:
        number = self._tenancy.settle(process)
        task = self._tenancy.tasks.get(requests[0].task)
        header, arrays = self._header("infer", number, requests)
        reply, sent = process.request(header, arrays, context=context)
        return wire.read_answers(reply["answers"], task.response, sent)

    def _header(
        self, do: Literal["infer", "stream"], number: int, requests: Sequence[Request[Any]]
    ) -> tuple[dict[str, Any], wire.Arrays]:
        with arrays_beside([]) as arrays:
            texts = [request.to_json() for request in requests]
        return {"do": do, "model": number, "task": requests[0].task, "requests": texts}, arrays

    def resident_bytes(self) -> int:
        """Return what the model says it holds; its last word where it says nothing in time."""
        process = self._worker.running()
        if process is not None and process is self._tenancy.home:
            known = self._bytes is not None
            with suppress(WorkerDiedError, Empty):
                header = {"do": "bytes", "model": self._tenancy.number}
                reply, _ = process.request(
                    header,
                    patience=_PATIENCE_SECONDS if known else None,
                    limit=None if known else self._tenancy.load_timeout,
                )
                self._bytes = int(reply["bytes"])
        return self._tenancy.card.bytes if self._bytes is None else self._bytes

    def close(self) -> None:
        """Release the model in the worker, and the worker with its last model."""
        process = self._worker.running()
        if process is not None and process is self._tenancy.home:
            header = {"do": "unload", "model": self._tenancy.number}
            # A model that does not close in time leaves its memory taken: its process has to go.
            with suppress(MetierError, TimeoutError):
                process.request(header, limit=_CLOSE_SECONDS)
        self._worker.released(self._tenancy)


class _Streaming(IsolatedModel):
    """A model that can answer piece by piece."""

    def stream(self, request: Request[Any], context: CallContext) -> Iterator[Response]:
        """Yield the pieces of the answer, each fetched when it is asked for."""
        process, number = self._worker.run(lambda process: self._opened(process, request, context), context)
        chunk = self._tenancy.tasks.get(request.task).chunk or Response
        try:
            while True:
                reply, sent = process.request({"do": "next"}, context=context, number=number)
                pieces = wire.read_answers(reply["answers"], chunk, sent)
                if not pieces:
                    return
                for piece in pieces:
                    if isinstance(piece, MetierError):
                        raise piece
                    yield piece
        finally:
            with suppress(MetierError, Empty):
                process.request({"do": "end"}, number=number, patience=_PATIENCE_SECONDS)

    def _opened(self, process: Process, request: Request[Any], context: CallContext) -> tuple[Process, int]:
        header, arrays = self._header("stream", self._tenancy.settle(process), [request])
        number = process.new_number()
        process.request(header, arrays, context=context, number=number)
        return process, number


class _Fittable(IsolatedModel):
    """A model that others can be fitted from."""

    def fit(self, request: FitRequest, directory: Path, context: CallContext) -> ModelCard:
        """Fit in the worker, which writes into `directory`."""
        return self._worker.run(lambda process: self._fit(process, request, directory, context), context)

    def _fit(self, process: Process, request: FitRequest, directory: Path, context: CallContext) -> ModelCard:
        number = self._tenancy.settle(process)
        arrays: wire.Arrays = []
        header = {
            "do": "fit",
            "model": number,
            "fit": wire.write_fit(request, arrays),
            "directory": str(directory.absolute()),
        }
        reply, _ = process.request(header, arrays, context=context)
        return ModelCard.from_json(reply["card"])


class _StreamingFittable(_Streaming, _Fittable):
    """A model that can do both."""


def model_of(worker: Worker, tenancy: Tenancy) -> IsolatedModel:
    """Return the model of a tenancy as what it said it can do: the runtime asks for the methods, not for a word."""
    said = tenancy.said
    if said.streams:
        return (_StreamingFittable if said.fits else _Streaming)(worker, tenancy)
    return (_Fittable if said.fits else IsolatedModel)(worker, tenancy)
