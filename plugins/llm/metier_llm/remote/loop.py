"""`LoopThread`: asynchronous work done for callers in threads, who can leave while it stalls."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future, wait
from contextlib import suppress
from typing import Any, TypeVar, cast

from metier_contracts import CallContext, Cancelled

T = TypeVar("T")

_POLL_SECONDS = 0.05
_FAREWELL_SECONDS = 1.0


class LoopThread:
    """An event loop in a thread of its own, until `close`."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], context: CallContext) -> T:
        """Return what the work returns; where the caller stops waiting, cancel it, and what it has open is closed.

        Raises:
            DeadlineExceeded, Cancelled: the caller stopped waiting.
        """
        job = _Job(self._loop, work)
        try:
            while not job.ended_within(_patience(context)):
                context.check()
        except BaseException:
            job.cancel()
            job.ended_within(_FAREWELL_SECONDS)
            raise
        return cast("T", job.result())

    def finish(self, work: Coroutine[Any, Any, object]) -> None:
        """Do work that ends something, and wait for it a moment; its failure concerns nobody any more."""
        if self._loop.is_closed():
            work.close()
            return
        job = _Job(self._loop, work)
        if threading.current_thread() is not self._thread:  # the garbage collector may close a stream in any thread
            job.ended_within(_FAREWELL_SECONDS)

    def close(self, last: Coroutine[Any, Any, object]) -> None:
        """Cancel all work, do the last, and end the thread."""
        job = _Job(self._loop, self._wind_up(last))
        job.ended_within(2 * _FAREWELL_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _wind_up(self, last: Coroutine[Any, Any, object]) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        with suppress(Exception):
            await last
        await self._loop.shutdown_asyncgens()
        # A look-up of a host's name cannot be broken off, and its thread is not waited for longer than that.
        await asyncio.wait([asyncio.ensure_future(self._loop.shutdown_default_executor())], timeout=_FAREWELL_SECONDS)


class _Job:
    """Work on the loop, and the future that ends when it has really ended, cancelled or not."""

    def __init__(self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any]) -> None:
        self._loop = loop
        self._work = work
        self._task: asyncio.Task[Any] | None = None
        self._outcome: Future[Any] = Future()
        loop.call_soon_threadsafe(self._start)

    def _start(self) -> None:
        self._task = self._loop.create_task(self._work)
        self._task.add_done_callback(self._hand_over)

    def _hand_over(self, task: asyncio.Task[Any]) -> None:
        if task.cancelled():
            self._outcome.set_exception(Cancelled("the model was closed while it worked"))
        elif (error := task.exception()) is not None:
            self._outcome.set_exception(error)
        else:
            self._outcome.set_result(task.result())

    def cancel(self) -> None:
        self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def ended_within(self, seconds: float) -> bool:
        return bool(wait((self._outcome,), seconds).done)

    def result(self) -> Any:
        return self._outcome.result()


def _patience(context: CallContext) -> float:
    remaining = context.remaining()
    return _POLL_SECONDS if remaining is None else max(0.0, min(_POLL_SECONDS, remaining))
