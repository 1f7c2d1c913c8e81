"""`Process`: one run of a worker, watched from its start to its death."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import psutil
from metier_contracts import CONTRACT_VERSION, CallContext, Cancelled, DeadlineExceeded, WorkerDiedError
from metier_contracts._version import is_compatible
from numpy.typing import NDArray

from metier.isolation import wire
from metier.isolation.channel import Channel, ChannelClosedError, Header
from metier.lane import INTERRUPTS
from metier.memory import format_bytes
from metier.plugins.discovery import PluginRecord

_POLL_SECONDS = 0.02
_WATCH_SECONDS = 0.05
_IDLE_SECONDS = 0.5
_CHILDREN_EVERY = 10  # looks: to find a process's children means to read of all processes

Reply = tuple[Header, list[NDArray[Any]]]


@dataclass(frozen=True)
class Launch:
    """How a worker is started, and what it may take.

    `python`: the interpreter of the environment that has the plugin. `path`: the `sys.path` of the worker, None for
    that interpreter's own. `environment`: its variables, None for this process's. `memory`: bytes of it and all that it
    starts, beside the shared memory. `grace`: the seconds it has to answer after a deadline or a cancellation.
    """

    record: PluginRecord
    python: Path
    path: Sequence[str] | None
    environment: Mapping[str, str] | None
    memory: int
    load_timeout: float
    grace: float


@dataclass(eq=False)
class _Call:
    """A call at work. `replies` gets a None when there will be no more."""

    context: CallContext
    until: float | None
    replies: SimpleQueue[Reply | None] = field(default_factory=SimpleQueue)
    overdue: bool = False


class Process:
    """A running worker. Its channel is read by a thread, and another looks whether it lives, hangs or grows."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._calls: dict[int, _Call] = {}
        self._numbers = 0
        self._lock = threading.Lock()
        self._cause: str | None = None
        self._ended = threading.Event()
        self._busy = threading.Event()
        self._child, self._channel, self._lifeline = self._started()
        for work in (self._read, self._watch):
            threading.Thread(target=work, name=f"metier-{launch.record.name}", daemon=True).start()

    def _started(self) -> tuple[subprocess.Popen[bytes], Channel, int]:
        ours, theirs = socket.socketpair(socket.AF_UNIX)
        theirs_alive, ours_alive = os.pipe()
        launch = self._launch
        command = [str(launch.python), "-P", "-m", "metier.isolation.worker", str(theirs.fileno()), str(theirs_alive)]
        try:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=_standard_error(),  # what a program prints is its own: a plugin's goes to the other stream
                pass_fds=(theirs.fileno(), theirs_alive),
                env=launch.environment,
                start_new_session=True,  # so that all it starts can be killed with it, and Ctrl-C is not its affair
            )
        except OSError as error:
            ours.close()
            os.close(ours_alive)
            raise self._error(f"its interpreter {launch.python} does not start: {error}") from error
        finally:
            theirs.close()
            os.close(theirs_alive)
        channel = Channel(ours)
        with suppress(ChannelClosedError):  # then it is dead, and the thread that reads finds out
            path = None if launch.path is None else list(launch.path)
            channel.send({"record": wire.write_record(launch.record), "path": path})
        return child, channel, ours_alive

    @property
    def alive(self) -> bool:
        """Whether it takes calls."""
        return self._cause is None

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._child.pid

    def wait_ended(self, seconds: float) -> bool:
        """Wait until it is known to have ended; return whether it is."""
        return self._ended.wait(seconds)

    def request(
        self,
        header: Header,
        arrays: Sequence[NDArray[Any]] = (),
        *,
        context: CallContext | None = None,
        limit: float | None = None,
        patience: float | None = None,
        number: int | None = None,
    ) -> Reply:
        """Send a message and wait for its reply.

        Args:
            header: what to do.
            arrays: the arrays that the records in the header name.
            context: the caller's. Its deadline and its cancellation reach the worker, whose progress reaches it.
            limit: seconds after which the worker is killed.
            patience: seconds after which `Empty` is raised and the reply, should it come, ignored.
            number: the number of the stream that this call is for.

        Raises:
            WorkerDiedError: it was dead, or died before it replied.
            TimeoutError: it was killed at the limit.
            MetierError: what the worker raised, or the caller's `DeadlineExceeded` or `Cancelled`.
        """
        context = context or CallContext()
        number, call = self._opened(context, limit, number)
        left = context.remaining()
        asks = {"call": number, "left": left, "seed": context.seed, "progress": context.progress is not None}
        try:
            with suppress(ChannelClosedError):  # the thread that reads finds out as well, and ends the call
                self._channel.send({**header, **asks}, arrays)
            reply, sent = self._awaited(number, call, patience)
        except INTERRUPTS:
            with suppress(ChannelClosedError):
                self._channel.send({"do": "cancel", "call": number})
            raise
        finally:
            with self._lock:
                self._calls.pop(number, None)
                if not self._calls:
                    self._busy.clear()
        if "error" in reply:
            raise wire.read_error(reply["error"])
        return reply, sent

    def new_number(self) -> int:
        """Return a number for the calls of a stream."""
        with self._lock:
            self._numbers += 1
            return self._numbers

    def _opened(self, context: CallContext, limit: float | None, number: int | None) -> tuple[int, _Call]:
        until = None if limit is None else time.monotonic() + limit
        if context.deadline is not None:
            until = context.deadline + self._launch.grace
        call = _Call(context, until)
        number = self.new_number() if number is None else number
        with self._lock:
            if self._cause is not None:
                raise self._error(self._cause)
            self._calls[number] = call
            self._busy.set()
        return number, call

    def _awaited(self, number: int, call: _Call, patience: float | None) -> Reply:
        asked = False
        started = time.monotonic()
        while True:
            try:
                reply = call.replies.get(timeout=_POLL_SECONDS)
            except Empty:
                if patience is not None and time.monotonic() - started > patience:
                    raise
                if call.context.cancelled and not asked:
                    asked = True
                    call.until = time.monotonic() + self._launch.grace
                    with suppress(ChannelClosedError):
                        self._channel.send({"do": "cancel", "call": number})
                continue
            if reply is None:
                raise self._ending(call)
            if "done" not in reply[0]:
                return reply
            call.context.report(reply[0]["done"], reply[0]["total"])

    def _ending(self, call: _Call) -> Exception:
        """Return the error of a call that gets no reply."""
        if call.overdue:
            try:
                call.context.check()
            except (DeadlineExceeded, Cancelled) as error:
                error.got = self._cause
                return error
            return TimeoutError(self._cause)
        return self._error(self._cause or "it ended")

    def _error(self, cause: str) -> WorkerDiedError:
        record = self._launch.record
        return WorkerDiedError(
            f"the worker process of the plugin {record.name!r} died",
            got=cause,
            blame=f"plugin {record.name!r} of {record.package} {record.version}",
            hint="leave the request out or report it to the plugin's authors; what the process printed says more",
        )

    def _read(self) -> None:
        """Hand each reply to its call, until the channel ends."""
        try:
            hello, _ = self._channel.receive()
            if not is_compatible(CONTRACT_VERSION, hello["contract"]):
                self.kill(f"it has metier_contracts {hello['contract']}, and this is {CONTRACT_VERSION}")
            while True:
                reply = self._channel.receive()
                with self._lock:
                    call = self._calls.get(reply[0]["call"])
                if call is not None:
                    call.replies.put(reply)
                del reply, call
        except (ChannelClosedError, LookupError, TypeError):
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(self._launch.grace)
            self.kill(self._status() or "it closed its connection")

    def _watch(self) -> None:
        """Kill the worker when it is gone in all but name, overdue, or too large."""
        looks = 0
        grown = 0
        while not self._ended.wait(_WATCH_SECONDS):
            self._busy.wait(_IDLE_SECONDS)  # a call ends the wait: what it takes is looked at from its start
            if (status := self._status()) is not None:
                self.kill(status)
            elif late := self._overdue():
                self.kill(late)
            if looks % _CHILDREN_EVERY == 0:
                grown = _bytes_of_children(self._child.pid)
            looks += 1
            held = _bytes_of(self._child.pid) + grown - self._channel.mapped_bytes
            if held > self._launch.memory:
                most = format_bytes(self._launch.memory)
                self.kill(f"it was stopped for holding {format_bytes(held)}, more than worker_memory allows ({most})")

    def _overdue(self) -> str | None:
        now = time.monotonic()
        with self._lock:
            for call in self._calls.values():
                if call.until is not None and now > call.until:
                    call.overdue = True
                    return "it was stopped for not answering in time"
        return None

    def _status(self) -> str | None:
        """Return how the process ended; None while it lives."""
        code = self._child.poll()
        if code is None:
            return None
        if code >= 0:
            return f"it exited with status {code}"
        with suppress(ValueError):
            return f"it was ended by {signal.Signals(-code).name}"
        return f"it was ended by signal {-code}"

    def kill(self, cause: str) -> None:
        """End the process and all that it started, and every call at work. The first cause is the one that stays."""
        with self._lock:
            first = self._cause is None
            self._cause = self._cause or cause
            calls = list(self._calls.values())
        if first:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()
            self._channel.close()
            os.close(self._lifeline)
            self._ended.set()
        for call in calls:
            call.replies.put(None)


def _standard_error() -> int | None:
    try:
        os.fstat(2)
    except OSError:
        return subprocess.DEVNULL
    return 2


def _bytes_of(process: int) -> int:
    try:
        return int(psutil.Process(process).memory_info().rss)
    except psutil.Error:
        return 0


def _bytes_of_children(process: int) -> int:
    try:
        children = psutil.Process(process).children(recursive=True)
    except psutil.Error:
        return 0
    return sum(_bytes_of(child.pid) for child in children)
