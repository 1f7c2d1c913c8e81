"""`Performer`: takes requests to their models and checks what comes back."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from metier_contracts import (
    CallContext,
    ContractViolation,
    InferenceError,
    MetierError,
    Provenance,
    Request,
    Response,
    StreamingModel,
    UnsupportedError,
)

from metier.catalog import Entry, task_of
from metier.residency import Residency, Resident
from metier.selection import Selector


@dataclass(frozen=True)
class Performer:
    """Chooses a model for each request, holds it loaded, infers, and checks every answer at the boundary."""

    selector: Selector
    residency: Residency

    def perform(
        self,
        requests: Sequence[Request[Any]],
        context: CallContext,
        model: str | None = None,
        strict: bool | None = None,
    ) -> list[Response | MetierError]:
        """Answer each request by its response or its error, in order, with one call a model."""
        entries = [self._chosen(request, model, strict) for request in requests]
        answers: list[Response | MetierError | None] = [e if isinstance(e, MetierError) else None for e in entries]
        for entry in {e.card.id: e for e in entries if isinstance(e, Entry)}.values():
            positions = [position for position, other in enumerate(entries) if other is entry]
            served = self._infer(entry, [requests[position] for position in positions], context)
            for position, answer in zip(positions, served, strict=True):
                answers[position] = answer
        return [answer for answer in answers if answer is not None]

    def perform_one(
        self, request: Request[Any], context: CallContext, model: str | None, strict: bool | None
    ) -> Response:
        """Return the response to one request, or raise its error."""
        if not isinstance(request, Request):
            task_of(request)
        answer = self._infer(self.selector.choose(request, model=model, strict=strict), (request,), context)[0]
        if isinstance(answer, MetierError):
            raise answer
        return answer

    def _chosen(self, request: Request[Any], model: str | None, strict: bool | None) -> Entry | MetierError:
        try:
            task_of(request)
            return self.selector.choose(request, model=model, strict=strict)
        except MetierError as error:
            return error

    def _infer(
        self, entry: Entry, requests: Sequence[Request[Any]], context: CallContext
    ) -> Sequence[Response | MetierError]:
        try:
            with self.residency.pinned(entry.card, context) as resident:
                served = resident.lane.run(requests, context)
                seconds = served.seconds / len(requests)
                return [
                    _checked(request, answer, entry, resident, seconds)
                    for request, answer in zip(requests, served.answers, strict=True)
                ]
        except MetierError as error:
            return [_blamed(error, entry)] * len(requests)

    def stream(self, request: Request[Any], context: CallContext, model: str | None) -> Iterator[Response]:
        """Yield the checked pieces of an answer; the model is held until the iterator ends or is closed."""
        chunk = task_of(request).chunk
        if chunk is None:
            raise UnsupportedError(
                f"{request.task} does not stream",
                expected="a request whose task streams (Generate)",
                got=type(request).__name__,
                blame="the request given to stream",
                hint="use run()",
            )
        entry = self.selector.choose(request, model=model)
        with self.residency.pinned(entry.card, context) as resident:
            yield from _pieces(request, chunk, entry, resident, context)


def _pieces(
    request: Request[Any], chunk: type[Response], entry: Entry, resident: Resident, context: CallContext
) -> Iterator[Response]:
    model = resident.model
    if not isinstance(model, StreamingModel):
        raise UnsupportedError(
            f"the model {entry.card.id!r} does not stream", blame=blame(entry), hint="use run(), or another model"
        )
    started = time.perf_counter()
    with resident.lane.held(context), plugin_errors(entry):
        for piece in model.stream(request, context):
            context.check()
            if not isinstance(piece, chunk):
                raise ContractViolation(
                    "a piece of the stream has the wrong type",
                    expected=chunk.__name__,
                    got=type(piece).__name__,
                    blame=blame(entry),
                )
            yield _with_provenance(piece, entry, resident, time.perf_counter() - started)


def blame(entry: Entry) -> str:
    """Name a model and the plugin and version that answer for it."""
    plugin = entry.plugin
    who = f"{plugin.package} {plugin.version}" if plugin is not None else "not installed"
    return f"plugin {entry.card.plugin!r} ({who}), model {entry.card.id!r}"


@contextmanager
def plugin_errors(entry: Entry) -> Iterator[None]:
    """Let no exception of a plugin out but as a `MetierError` that names it."""
    try:
        yield
    except MetierError as error:
        _blamed(error, entry)
        raise
    except (Exception, SystemExit) as error:
        raise InferenceError(
            f"the model {entry.card.id!r} failed", got=f"{type(error).__name__}: {error}", blame=blame(entry)
        ) from error


def _blamed(error: MetierError, entry: Entry) -> MetierError:
    if error.blame is None:
        error.blame = blame(entry)
    return error


def _checked(
    request: Request[Any], answer: Response | MetierError, entry: Entry, resident: Resident, seconds: float
) -> Response | MetierError:
    if isinstance(answer, MetierError):
        return _blamed(answer, entry)
    violation = task_of(request).violation(request, answer, entry.card.tasks[request.task])
    if violation is None:
        return _with_provenance(answer, entry, resident, seconds)
    return ContractViolation(
        f"the answer of model {entry.card.id!r} breaks the contract of {request.task}",
        expected=f"{violation.field}: {violation.expected}",
        got=violation.got,
        blame=f"{blame(entry)}, field {violation.field!r}",
        hint="report it to the plugin's authors, or choose another model with model=...",
    )


def _with_provenance(response: Response, entry: Entry, resident: Resident, seconds: float) -> Response:
    plugin = entry.plugin
    provenance = Provenance(
        model=entry.card.id,
        plugin=entry.card.plugin,
        plugin_version=plugin.version if plugin is not None else "unknown",
        device=resident.device,
        dtype=resident.dtype,
        seconds=seconds,
    )
    return response.model_copy(update={"provenance": provenance})
