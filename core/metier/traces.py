"""`Traces`: what the values that pipelines ran on went through, for `Runtime.plan(pipeline, like=[...])`."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from metier_contracts import InputError, Request

from metier.content import content_of
from metier.pipeline.engine import Failed
from metier.pipeline.step import Step
from metier.pipeline.trace import Trace

PIPELINES = 16
ENTRIES = 10_000

Run = Callable[[Sequence[Trace]], list[Any]]


@dataclass
class _Kept:
    """The traces of one pipeline by the content of the value, those of the latest runs last, and how long they are."""

    pipeline: Step[Any, Any]
    traces: OrderedDict[bytes, Trace] = field(default_factory=OrderedDict)
    entries: int = 0

    def keep(self, content: bytes, trace: Trace) -> None:
        before = self.traces.get(content)
        if before is not None and trace.failed and not before.failed:
            return  # of a value that may go well, how it goes then is the better guess
        self.entries += len(trace.entries) - len(before.entries if before else ())
        self.traces[content] = trace
        self.traces.move_to_end(content)
        while self.entries > ENTRIES and len(self.traces) > 1:
            self.entries -= len(self.traces.popitem(last=False)[1].entries)


@dataclass
class Traces:
    """Keeps the traces of the pipelines that ran last: steps, sizes, models and seconds, and no value itself.

    Equal pipelines are one, as are values of equal content. Of each value the latest run counts that went well.
    """

    _kept: OrderedDict[object, _Kept] = field(default_factory=OrderedDict)
    _latest: _Kept | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def recorded(self, pipeline: Step[Any, Any], values: Sequence[Any], run: Run) -> list[Any]:
        """Return what `run` does, and keep what it puts down."""
        contents = [content_of(value) for value in values]  # of now: a step may change what it is given
        traces = [Trace() for _ in values]
        outcomes = run(traces)
        for trace, outcome in zip(traces, outcomes, strict=True):
            trace.failed = isinstance(outcome, Failed)
        with self._lock:
            kept = self._of(pipeline)
            for content, trace in zip(contents, traces, strict=True):
                if content is not None:
                    kept.keep(content, trace)
        return outcomes

    def of(self, pipeline: Step[Any, Any], values: Iterable[Any]) -> list[Trace]:
        """Return the trace of each value.

        Raises:
            InputError: there is no value, or one of which there is no trace.
        """
        if isinstance(values, str | bytes | Request) or not isinstance(values, Iterable):
            raise _refused(
                "like is a sample of what the pipeline takes", "values in a list", f"{type(values).__name__}"
            )
        contents = [content_of(value) for value in values]
        with self._lock:
            kept = self._kept.get(_key(pipeline))
            known = {} if kept is None else kept.traces
            found = [None if content is None else known.get(content) for content in contents]
        traces = [trace for trace in found if trace is not None]
        if not contents or len(traces) < len(found):
            raise _refused(
                "what values like these go through is known once they have run",
                "at least one value, each of which this runtime has run through this pipeline",
                f"{len(found)} values, {len(found) - len(traces)} of which have not run",
                hint="run them first: for _ in runtime.map(pipeline, values, on_error='collect'): pass",
            )
        return traces

    def _of(self, pipeline: Step[Any, Any]) -> _Kept:
        """Return what is kept of a pipeline; the lock is held."""
        if self._latest is not None and self._latest.pipeline is pipeline:
            return self._latest  # a pipeline of many steps takes a while to hash
        key = _key(pipeline)
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = _Kept(pipeline)
        self._kept.move_to_end(key)
        while len(self._kept) > PIPELINES:
            self._kept.popitem(last=False)
        self._latest = kept
        return kept


def _key(pipeline: Step[Any, Any]) -> object:
    """Return the pipeline, or where it cannot be hashed what tells it from all others that are kept."""
    try:
        hash(pipeline)
    except TypeError:
        return id(pipeline)
    return pipeline


def _refused(summary: str, expected: str, got: str, hint: str | None = None) -> InputError:
    return InputError(summary, expected=expected, got=got, blame="like=... of plan", hint=hint)
