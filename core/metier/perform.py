"""`Performer`: takes requests to their models and checks what comes back."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metier_contracts import (
    CallContext,
    Cascade,
    ContractViolation,
    InferenceError,
    MetierError,
    ModelError,
    NoCapableModelError,
    Provenance,
    Request,
    Response,
    StreamingModel,
    Task,
    UnsupportedError,
    Violation,
)

from metier import tracing
from metier.accounting import Answer, Charge, Ledger
from metier.cascades.answering import cascaded
from metier.catalog import Entry
from metier.charging import cost_of
from metier.lane import INTERRUPTS
from metier.residency import Residency, Resident
from metier.selection import Selector
from metier.tasks import Tasks
from metier.terms import ANY, Terms

if TYPE_CHECKING:
    from opentelemetry.context import Context


@dataclass(frozen=True)
class Performer:
    """Chooses a model for each request, holds it loaded, infers, and checks and counts every answer at the boundary."""

    selector: Selector
    residency: Residency
    ledger: Ledger

    @property
    def _tasks(self) -> Tasks:
        return self.selector.catalog.tasks

    def perform(
        self,
        requests: Sequence[Request[Any]],
        context: CallContext,
        terms: Terms = ANY,
    ) -> list[Response | MetierError]:
        """Answer each request by its response or its error, in order, with one call a model and task."""
        answers: dict[int, Response | MetierError] = {}
        # By id: while the requests are looked at, a fit may put another entry in the place of a model's old one.
        groups: dict[tuple[str, str], list[tuple[int, Entry]]] = defaultdict(list)
        for position, request in enumerate(requests):
            chosen = self._chosen(request, terms)
            if isinstance(chosen, MetierError):
                answers[position] = chosen
            else:
                groups[chosen.card.id, request.task].append((position, chosen))
        for group in groups.values():
            positions = [position for position, _ in group]
            served = self._infer(group[-1][1], [requests[position] for position in positions], context, terms)
            answers.update(zip(positions, served, strict=True))
        return [answers[position] for position in range(len(requests))]

    def perform_one(self, request: Request[Any], context: CallContext, terms: Terms) -> Response:
        """Return the response to one request, or raise its error."""
        if not isinstance(request, Request):
            self._tasks.of(request)
        answer = self._infer(self.selector.choose(request, terms), (request,), context, terms)[0]
        if isinstance(answer, MetierError):
            raise answer
        return answer

    def _chosen(self, request: Request[Any], terms: Terms) -> Entry | MetierError:
        try:
            if not isinstance(request, Request):
                self._tasks.of(request)
            return self.selector.choose(request, terms)
        except MetierError as error:
            return error

    def _infer(
        self, entry: Entry, requests: Sequence[Request[Any]], context: CallContext, terms: Terms
    ) -> Sequence[Answer]:
        if entry.card.cascade is not None:
            return self._cascaded(entry, entry.card.cascade, requests, context, terms)
        charge = self.ledger.charge(entry.card)
        if charge.free:
            return self._sent(entry, requests, context, charge)
        refused = charge.reserve(requests)
        if not refused:
            return self._sent(entry, requests, context, charge)
        answers: dict[int, Answer] = dict(refused)
        fitting = [position for position in range(len(requests)) if position not in refused]
        while fitting:
            sent = [requests[position] for position in fitting]
            answers.update(zip(fitting, self._sent(entry, sent, context, charge), strict=True))
            # They have told what they cost, which is less than was reserved: there may be room for more.
            waiting = list(refused)
            charge = self.ledger.charge(entry.card)
            still = charge.reserve([requests[position] for position in waiting])
            refused = {waiting[place]: error for place, error in still.items()}
            answers.update(refused)
            fitting = [position for position in waiting if position not in refused]
        return [answers[position] for position in range(len(requests))]

    def _cascaded(
        self, entry: Entry, cascade: Cascade, requests: Sequence[Request[Any]], context: CallContext, terms: Terms
    ) -> Sequence[Answer]:
        """Answer by the members of a cascade, whose calls count each for itself."""

        def ask(model: str, asked: Sequence[Request[Any]]) -> Sequence[Answer]:
            return self.perform(asked, context, Terms(model, private=terms.private))

        try:
            return cascaded(entry, cascade, requests, self.selector.catalog, ask)
        except MetierError as error:
            return [error] * len(requests)

    def _sent(
        self, entry: Entry, requests: Sequence[Request[Any]], context: CallContext, charge: Charge
    ) -> Sequence[Answer]:
        tracer = tracing.tracer()
        if tracer is None:
            return self._called(entry, requests, context, charge)
        with tracing.opened(tracing.call_span(tracer, entry.card, requests)) as span:
            answers = self._called(entry, requests, context, charge)
            tracing.answered(span, answers)
            return answers

    def _called(
        self, entry: Entry, requests: Sequence[Request[Any]], context: CallContext, charge: Charge
    ) -> Sequence[Answer]:
        try:
            # Not `pinned`, which does the same: a generator costs every call more.
            resident = self.residency.acquire(entry.card, context)
        except BaseException as error:
            charge.withdraw(len(requests))
            if not isinstance(error, MetierError):
                raise
            return [_failure(error, entry)] * len(requests)
        try:
            served = resident.lane.run(requests, context)
            made, seconds = served.answers, served.seconds / len(requests)
            task = self._tasks.get(requests[0].task)
            answers: Sequence[Answer] = [
                _checked(task, request, answer, entry, resident, seconds)
                for request, answer in zip(requests, made, strict=True)
            ]
        except MetierError as error:
            made = answers = [_failure(error, entry)] * len(requests)
            seconds = 0.0
        finally:
            self.residency.release(resident)
        charge.settle(answers, made, seconds)
        return answers

    def stream(self, request: Request[Any], context: CallContext, terms: Terms) -> Generator[Response, None, None]:
        """Return the checked pieces of an answer; the model is held until the last, or until the iterator is closed.

        What can be told without loading the model is raised at once, not at the first piece.
        """
        chunk = self._tasks.of(request).chunk
        if chunk is None:
            raise UnsupportedError(
                f"{request.task} does not stream",
                expected="a request whose task streams (Generate)",
                got=type(request).__name__,
                blame="the request given to stream",
                hint="use run()",
            )
        entry = self._streaming(request, terms)
        # What is counted and traced belongs to where the stream was asked for, wherever its pieces are taken.
        return self._counted(
            request,
            entry,
            self.ledger.charge(entry.card),
            tracing.here(),
            self._streamed(request, chunk, entry, context),
        )

    def _streaming(self, request: Request[Any], terms: Terms) -> Entry:
        try:
            return self.selector.choose(request, terms, stream=True)
        except NoCapableModelError:
            entry = self.selector.choose(request, terms)  # where more than streaming is lacking, this says so
            raise UnsupportedError(
                f"the model {entry.card.id!r} does not stream",
                expected=f"a card that says stream = true for {request.task}",
                got=f"stream = {str(entry.card.tasks[request.task].stream).lower()}",
                blame=f"{blame(entry)}, or the call to stream",
                hint="use run(), or another model",
            ) from None

    def _counted(
        self,
        request: Request[Any],
        entry: Entry,
        charge: Charge,
        within: Context | None,
        pieces: Generator[Response, None, None],
    ) -> Generator[Response, None, None]:
        for refusal in charge.reserve((request,)).values():
            raise refusal
        tracer = tracing.tracer()
        span = None if tracer is None else tracing.call_span(tracer, entry.card, (request,), within=within, stream=True)
        last: Response | None = None
        failure: MetierError | None = None
        try:
            for last in pieces:
                yield last
        except MetierError as error:
            failure = error
            raise
        finally:
            pieces.close()
            seconds = last.provenance.seconds if last is not None and last.provenance is not None else 0.0
            charge.settle([failure], [failure if last is None else last], seconds)
            if span is not None:
                tracing.answered(span, [answer for answer in (last, failure) if answer is not None])
                span.end()

    def _streamed(
        self, request: Request[Any], chunk: type[Response], entry: Entry, context: CallContext
    ) -> Generator[Response, None, None]:
        with self.residency.pinned(entry.card, context) as resident:
            if not isinstance(resident.model, StreamingModel):
                raise UnsupportedError(
                    f"the model {entry.card.id!r} does not stream, though its card says so",
                    expected="a model with the method stream(request, context)",
                    got=type(resident.model).__name__,
                    blame=blame(entry),
                    hint="use run(), or another model",
                )
            with resident.lane.held(context), plugin_errors(entry):
                yield from _pieces(resident.model, request, chunk, entry, resident, context)


def _pieces(
    model: StreamingModel,
    request: Request[Any],
    chunk: type[Response],
    entry: Entry,
    resident: Resident,
    context: CallContext,
) -> Iterator[Response]:
    started = time.perf_counter()
    context.check()
    pieces = model.stream(request, context)
    try:
        for piece in pieces:
            context.check()
            if not isinstance(piece, chunk):
                raise _violated(request, entry, Violation("chunk", f"a {chunk.__name__}", f"a {type(piece).__name__}"))
            yield _with_provenance(piece, entry, resident, time.perf_counter() - started)
    finally:
        # Nobody waits any more: threads of the model's own that work for this stream are told, its iterator is closed.
        context.cancel()
        if (close := getattr(pieces, "close", None)) is not None:
            close()


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
    except ModelError as error:
        _blamed(error, entry)
        raise
    except MetierError:
        raise
    except INTERRUPTS:
        raise
    except BaseException as error:
        raise InferenceError(
            f"the model {entry.card.id!r} failed", got=f"{type(error).__name__}: {error}", blame=blame(entry)
        ) from error


def _failure(error: MetierError, entry: Entry) -> MetierError:
    return _blamed(error, entry) if isinstance(error, ModelError) else error


def _blamed(error: MetierError, entry: Entry) -> MetierError:
    if error.blame is None:
        error.blame = blame(entry)
    return error


def _checked(
    task: Task, request: Request[Any], answer: Response | MetierError, entry: Entry, resident: Resident, seconds: float
) -> Response | MetierError:
    if isinstance(answer, MetierError):
        return _blamed(answer, entry)
    try:
        violation = task.violation(request, answer, entry.card.tasks[task.name])
        if violation is None:
            return _with_provenance(answer, entry, resident, seconds)
    except Exception as error:
        # A record that was built past its own checks may hold anything.
        violation = Violation("response", "a record that can be checked", f"{type(error).__name__}: {error}")
    return _violated(request, entry, violation)


def _violated(request: Request[Any], entry: Entry, violation: Violation) -> ContractViolation:
    return ContractViolation(
        f"the answer of model {entry.card.id!r} breaks the contract of {request.task}",
        expected=f"{violation.field}: {violation.expected}",
        got=violation.got,
        blame=f"{blame(entry)}, field {violation.field!r}",
        hint="report it to the plugin's authors, or choose another model with model=...",
    )


def _with_provenance(response: Response, entry: Entry, resident: Resident, seconds: float) -> Response:
    provenance = resident.provenance
    if provenance is None:
        plugin = entry.plugin
        provenance = resident.provenance = Provenance(
            model=entry.card.id,
            plugin=entry.card.plugin,
            plugin_version=plugin.version if plugin is not None else "unknown",
            device=resident.device,
            dtype=resident.dtype,
            seconds=0,
        )
    if (price := entry.card.price) is not None:
        return response.replaced(provenance=provenance.replaced(seconds=seconds, cost=cost_of(price, response)))
    return response.replaced(provenance=provenance.replaced(seconds=seconds))
