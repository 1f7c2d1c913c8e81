"""`Lane`: the queue before one model.

A caller whose model is idle infers in its own thread. Callers that come meanwhile leave their requests; whoever gets
the model next takes all that wait, as one batch, and hands each caller its own answers. The lane has no thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from metier_contracts import CallContext, Cancelled, DeadlineExceeded, InferenceError, MetierError, Request, Response

Answer = Response | MetierError
Infer = Callable[[Sequence[Request[Any]], CallContext], Sequence[Answer]]

_POLL_SECONDS = 0.02


@dataclass(eq=False, slots=True)
class _Job:
    requests: Sequence[Request[Any]]
    context: CallContext
    answers: Sequence[Answer] | None = None
    seconds: float = 0.0
    error: BaseException | None = None

    @property
    def finished(self) -> bool:
        return self.answers is not None or self.error is not None


@dataclass(frozen=True, slots=True)
class Served:
    """The answers to one caller's requests, and its share of the wall time of the call that made them, in seconds."""

    answers: Sequence[Answer]
    seconds: float


@dataclass
class Lane:
    """Gathers requests before `infer`. `max_batch`: the most requests one call takes; `shared`: calls may overlap."""

    infer: Infer
    max_batch: int = 1
    shared: bool = False
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _waiting: list[_Job] = field(default_factory=list)
    _waiting_lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, requests: Sequence[Request[Any]], context: CallContext) -> Served:
        """Return one answer for each request, in order.

        Raises:
            DeadlineExceeded, Cancelled: the caller stopped waiting, in the queue or in the model.
        """
        job = _Job(requests, context)
        if self.shared:
            self._infer([job])
        else:
            self._queue(job)
        if job.error is not None:
            raise job.error
        return Served(job.answers or (), job.seconds)

    @contextmanager
    def held(self, context: CallContext) -> Iterator[None]:
        """Keep the model to oneself, for work that is not a batch: streaming and fitting."""
        if self.shared:
            yield
            return
        while not self._turn.acquire(timeout=_POLL_SECONDS):
            context.check()
        try:
            yield
        finally:
            self._turn.release()

    def _queue(self, job: _Job) -> None:
        with self._waiting_lock:
            self._waiting.append(job)
        while not job.finished:
            if self._turn.acquire(timeout=_POLL_SECONDS):
                try:
                    if not job.finished:
                        self._infer(self._gather())
                finally:
                    self._turn.release()
            elif not job.finished:
                self._leave_if_done_waiting(job)

    def _leave_if_done_waiting(self, job: _Job) -> None:
        """Take a job whose caller no longer waits out of the queue; one that a batch holds already stays in it."""
        try:
            job.context.check()
        except (Cancelled, DeadlineExceeded) as error:
            job.error = error
            with self._waiting_lock:
                if job in self._waiting:
                    self._waiting.remove(job)

    def _gather(self) -> list[_Job]:
        """Take the first job and those after it that fit into one call with it."""
        with self._waiting_lock:
            first, size, count = self._waiting[0], 1, len(self._waiting[0].requests)
            for following in self._waiting[1:]:
                count += len(following.requests)
                if count > self.max_batch or not _fit_together(first.context, following.context):
                    break
                size += 1
            jobs, self._waiting = self._waiting[:size], self._waiting[size:]
            return jobs

    def _infer(self, jobs: list[_Job]) -> None:
        requests = jobs[0].requests if len(jobs) == 1 else [request for job in jobs for request in job.requests]
        context = jobs[0].context if len(jobs) == 1 else _merge([job.context for job in jobs])
        started = time.perf_counter()
        try:
            answers = self._in_batches(requests, context)
        except MetierError as error:
            for job in jobs:
                job.error = error
            return
        except BaseException:  # the interpreter is being interrupted in this caller's thread
            for job in jobs:
                job.error = Cancelled("the call that carried this request was interrupted")
            raise
        seconds = (time.perf_counter() - started) / max(len(requests), 1)
        position = 0
        for job in jobs:
            job.seconds = seconds * len(job.requests)
            job.answers = answers[position : position + len(job.requests)]
            position += len(job.requests)

    def _in_batches(self, requests: Sequence[Request[Any]], context: CallContext) -> Sequence[Answer]:
        if len(requests) <= self.max_batch:
            return self._guarded(requests, context)
        answers: list[Answer] = []
        for start in range(0, len(requests), self.max_batch):
            context.check()
            answers += self._guarded(requests[start : start + self.max_batch], context)
        return answers

    def _guarded(self, requests: Sequence[Request[Any]], context: CallContext) -> Sequence[Answer]:
        """Infer; where the call as a whole fails, infer one by one, so that a bad item fails alone."""
        context.check()
        try:
            answers = self.infer(requests, context)
        except (DeadlineExceeded, Cancelled):
            raise
        except (Exception, SystemExit) as error:
            if len(requests) > 1:
                return [self._guarded([request], context)[0] for request in requests]
            return [_as_metier_error(error)]
        if not _one_each(answers, len(requests)):
            return [_wrong_length(answers, len(requests))] * len(requests)
        return answers


def _fit_together(first: CallContext, following: CallContext) -> bool:
    return first.seed == following.seed and (first.deadline is None) == (following.deadline is None)


def _merge(contexts: Sequence[CallContext]) -> CallContext:
    """Return the context of a shared call: it stops when every caller has stopped waiting."""
    deadlines = [context.deadline for context in contexts if context.deadline is not None]
    return CallContext(deadline=max(deadlines, default=None), seed=contexts[0].seed, _cancelled=_AllCancelled(contexts))


class _AllCancelled(threading.Event):
    def __init__(self, contexts: Sequence[CallContext]) -> None:
        super().__init__()
        self._contexts = contexts

    def is_set(self) -> bool:
        return all(context.cancelled for context in self._contexts)


def _as_metier_error(error: BaseException) -> MetierError:
    if isinstance(error, MetierError):
        return error
    wrapped = InferenceError("the model raised while it inferred", got=f"{type(error).__name__}: {error}")
    wrapped.__cause__ = error
    return wrapped


def _one_each(answers: object, count: int) -> bool:
    return isinstance(answers, Sequence) and len(answers) == count


def _wrong_length(answers: object, expected: int) -> MetierError:
    got = f"{len(answers)}" if isinstance(answers, Sequence) else type(answers).__name__
    return InferenceError(
        "the model did not answer each request once", expected=f"a list of {expected} answers", got=got
    )
