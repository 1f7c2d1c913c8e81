"""`Lane`: the queue before one model.

A caller whose model is idle infers in its own thread. Callers that come meanwhile stand in line with their requests;
the first of them gets the model next, takes along those behind it that fit, as one batch, and hands each its own
answers. The lane has no thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from metier_contracts import (
    CallContext,
    Cancelled,
    ContractViolation,
    DeadlineExceeded,
    InferenceError,
    InputError,
    MetierError,
    Request,
    Response,
)
from metier_contracts.context import Cancellation

Answer = Response | MetierError
Infer = Callable[[Sequence[Request[Any]], CallContext], Sequence[Answer]]

# What ends a call from outside. All else that a model raises is its failure: libraries raise BaseExceptions of their
# own (SystemExit, asyncio.CancelledError, a Rust extension's PanicException).
INTERRUPTS = (KeyboardInterrupt, GeneratorExit)

_POLL_SECONDS = 0.02


@dataclass(eq=False, slots=True)
class _Job:
    """A caller in line. One without requests wants the model for itself."""

    requests: Sequence[Request[Any]]
    context: CallContext
    answers: Sequence[Answer] | None = None
    seconds: float = 0.0
    gone: bool = False
    wake: threading.Event | None = None  # only those who stand in line have one
    thread: int | None = None  # of one that has the model for itself

    def call(self) -> None:
        """Wake the caller where it waits."""
        if self.wake is not None:
            self.wake.set()


class Served(NamedTuple):
    """The answers to one caller's requests, and its share of the wall time of the call that made them, in seconds."""

    answers: Sequence[Answer]
    seconds: float


@dataclass
class Lane:
    """Gathers requests before `infer`. `max_batch`: the most requests one call takes; `shared`: calls may overlap."""

    infer: Infer
    max_batch: int = 1
    shared: bool = False
    _leader: _Job | None = None
    _waiting: list[_Job] = field(default_factory=list)
    # Reentrant, since the garbage collector may close an abandoned stream, and so leave the lane, at any line.
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def run(self, requests: Sequence[Request[Any]], context: CallContext) -> Served:
        """Return one answer for each request, in order.

        Raises:
            DeadlineExceeded, Cancelled: the caller stopped waiting, in the queue or in the model.
        """
        job = _Job(requests, context)
        if self.shared:
            self._infer([job])
        else:
            try:
                self._stand_in_line(job)
                if job.answers is None:
                    self._infer(self._gather(job) if self._waiting else [job])
            finally:
                self._leave(job)
        return Served(job.answers or (), job.seconds)

    @contextmanager
    def held(self, context: CallContext) -> Iterator[None]:
        """Keep the model to oneself, for work that is not a batch: streaming and fitting."""
        if self.shared:
            yield
            return
        job = _Job((), context)
        try:
            self._stand_in_line(job)
            job.thread = threading.get_ident()
            yield
        finally:
            self._leave(job)

    def _stand_in_line(self, job: _Job) -> None:
        """Wait until the job leads, or until another caller has answered it."""
        with self._lock:
            if self._leader is None and not self._waiting:
                self._leader = job
                return
            if self._leader is not None and self._leader.thread == threading.get_ident():
                raise _own_stream()
            wake = job.wake = threading.Event()
            self._waiting.append(job)
        while not self._ready(job):
            job.context.check()
            wake.wait(_POLL_SECONDS)

    def _ready(self, job: _Job) -> bool:
        with self._lock:
            if self._leader is None and self._waiting and self._waiting[0] is job:
                self._leader = self._waiting.pop(0)
            return self._leader is job or job.answers is not None

    def _leave(self, job: _Job) -> None:
        with self._lock:
            job.gone = True
            if job in self._waiting:
                self._waiting.remove(job)
            if self._leader is job:
                self._leader = None
            if self._leader is None and self._waiting:
                self._waiting[0].call()

    def _gather(self, first: _Job) -> list[_Job]:
        """Return the job that leads and those behind it that fit into one call with it, taken out of the line."""
        with self._lock:
            size, count = 0, len(first.requests)
            for following in self._waiting:
                count += len(following.requests)
                if count > self.max_batch or not _fit_together(first, following):
                    break
                size += 1
            taken = self._waiting[:size]
            del self._waiting[:size]
            return [first, *taken]

    def _put_back(self, jobs: Sequence[_Job]) -> None:
        """Return jobs whose callers still wait to the head of the line."""
        with self._lock:
            self._waiting[:0] = [job for job in jobs if not job.gone]

    def _infer(self, jobs: Sequence[_Job]) -> None:
        leader, *others = jobs
        requests = leader.requests if not others else [request for job in jobs for request in job.requests]
        context = leader.context if not others else _merge(jobs)
        started = time.perf_counter()
        try:
            fits = len(requests) <= self.max_batch
            answers = self._guarded(requests, context) if fits else self._in_batches(requests, context)
        except BaseException:
            # The leader's deadline, cancellation or interrupt is no concern of the others: they try again.
            self._put_back(others)
            raise
        seconds = (time.perf_counter() - started) / max(len(requests), 1)
        position = 0
        for job in jobs:
            job.seconds = seconds * len(job.requests)
            job.answers = answers[position : position + len(job.requests)]
            if job is not leader:
                job.call()
            position += len(job.requests)

    def _in_batches(self, requests: Sequence[Request[Any]], context: CallContext) -> Sequence[Answer]:
        answers: list[Answer] = []
        for start in range(0, len(requests), self.max_batch):
            answers += self._guarded(requests[start : start + self.max_batch], context)
        return answers

    def _guarded(self, requests: Sequence[Request[Any]], context: CallContext) -> Sequence[Answer]:
        """Infer; where the call as a whole fails, infer one by one, so that a bad item fails alone."""
        context.check()
        try:
            answers = self.infer(requests, context)
            if _one_each(answers, len(requests)):
                return answers
            failure = _wrong_length(answers, len(requests))
        except (DeadlineExceeded, Cancelled, *INTERRUPTS):
            raise
        except BaseException as error:
            failure = _as_metier_error(error)
        if len(requests) == 1:
            return [failure]
        return [self._guarded([request], context)[0] for request in requests]


def _own_stream() -> InputError:
    return InputError(
        "the model is at work on a stream that this very thread has open, and would never become free",
        expected="another call once the stream has ended",
        got="one in between",
        blame="the caller",
        hint="read the stream to its end or close() it first, or call from another thread",
    )


def _fit_together(first: _Job, following: _Job) -> bool:
    """Tell whether two jobs may share a call: requests of one task, drawn from one seed."""
    if not (first.requests and following.requests):
        return False
    return first.requests[0].task == following.requests[0].task and first.context.seed == following.context.seed


def _merge(jobs: Sequence[_Job]) -> CallContext:
    """Return the context of a shared call: it ends with the leader's deadline, or when no caller waits any more."""
    leader = jobs[0].context
    return CallContext(deadline=leader.deadline, seed=leader.seed, _cancelled=_AllGone(jobs))


class _AllGone(Cancellation):
    __slots__ = ("_jobs",)

    def __init__(self, jobs: Sequence[_Job]) -> None:
        super().__init__()
        self._jobs = jobs

    def is_set(self) -> bool:
        return all(job.gone or job.context.cancelled for job in self._jobs)


def _as_metier_error(error: BaseException) -> MetierError:
    if isinstance(error, MetierError):
        return error
    wrapped = InferenceError("the model raised while it inferred", got=f"{type(error).__name__}: {error}")
    wrapped.__cause__ = error
    return wrapped


def _one_each(answers: object, count: int) -> bool:
    # Lists first: to ask whether a type is a Sequence takes longer.
    return isinstance(answers, (list, Sequence)) and len(answers) == count


def _wrong_length(answers: object, expected: int) -> MetierError:
    got = f"{len(answers)}" if isinstance(answers, Sequence) else type(answers).__name__
    return ContractViolation(
        "the model did not answer each request once", expected=f"a list of {expected} answers, one a request", got=got
    )
