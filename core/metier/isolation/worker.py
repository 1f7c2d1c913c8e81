"""The worker: a process that holds one plugin's models and answers the runtime that started it.

Started as `python -m metier.isolation.worker SOCKET LIFELINE`, with the descriptors of its end of the channel and of a
pipe that closes when the runtime's process ends.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from metier_contracts import (
    CONTRACT_VERSION,
    CallContext,
    ContractViolation,
    FittableModel,
    InferenceError,
    InputError,
    MetierError,
    Model,
    ModelCard,
    Response,
    StreamingModel,
)
from metier_contracts.beside import arrays_beside

from metier.isolation import wire
from metier.isolation.channel import Channel, ChannelClosedError, Header
from metier.plugins.host import PluginHost
from metier.tasks import Tasks

_THREADS = 256
_UNHEARD = 74  # the exit status EX_IOERR
Reply = tuple[Header, wire.Arrays]
_Operation = Callable[[Header, wire.Arrays, CallContext], Reply]


@dataclass(frozen=True)
class _Stream:
    """An open stream; all calls for it have the number of the one that opened it."""

    pieces: Iterator[Response]
    chunk: type[Response]
    context: CallContext


@dataclass
class _Server:
    """Answers the messages of one channel."""

    channel: Channel
    host: PluginHost
    models: dict[int, Model] = field(default_factory=dict)
    contexts: dict[int, CallContext] = field(default_factory=dict)
    streams: dict[int, _Stream] = field(default_factory=dict)

    @cached_property
    def tasks(self) -> Tasks:
        """The tasks known here: another plugin than this one may bring that of a model."""
        return Tasks.installed()

    def serve(self) -> None:
        """Answer until the runtime closes the channel. Each call has a thread, which waits for the next when done."""
        operations: dict[str, _Operation] = {
            "load": self._load,
            "infer": self._infer,
            "stream": self._stream,
            "next": self._next,
            "end": self._end,
            "fit": self._fit,
            "bytes": self._bytes,
            "unload": self._unload,
        }
        threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="metier-worker")
        while True:
            header, arrays = self.channel.receive()
            if header["do"] == "cancel":
                if (context := self.contexts.get(header["call"])) is not None:
                    context.cancel()
                continue
            opened = self.streams.get(header["call"])
            context = self._context(header) if opened is None else opened.context
            self.contexts[header["call"]] = context
            # In a list, which the call empties: the pool holds what it was given until the call is over.
            threads.submit(self._answer, operations[header["do"]], [(header, arrays)], context)
            del header, arrays

    def _context(self, header: Header) -> CallContext:
        number, left = header["call"], header.get("left")

        def progress(done: int, total: int | None) -> None:
            self.channel.send({"call": number, "done": done, "total": total})

        return CallContext(
            None if left is None else time.monotonic() + left,
            header.get("seed"),
            progress if header.get("progress") else None,
        )

    def _answer(self, operation: _Operation, message: list[Reply], context: CallContext) -> None:
        number = message[0][0]["call"]
        try:
            answer, sent = operation(*message.pop(), context)
        except MetierError as error:
            answer, sent = {"error": wire.write_error(error)}, []
        except BaseException as error:
            failure = InferenceError("the model raised while it inferred", got=f"{type(error).__name__}: {error}")
            answer, sent = {"error": wire.write_error(failure)}, []
        self.contexts.pop(number, None)
        try:
            self.channel.send({**answer, "call": number}, sent)
        except ChannelClosedError:
            # Nobody can be answered any more. A plugin that closed the channel cannot wake the thread that reads it.
            os._exit(_UNHEARD)

    def _load(self, header: Header, arrays: wire.Arrays, context: CallContext) -> Reply:
        card = ModelCard.from_json(header["card"])
        model = self.host.load_model(card, wire.read_placement(header["placement"]))
        self.models[header["model"]] = model
        return {
            "device": _shown(getattr(model, "device", None)),
            "dtype": _shown(getattr(model, "dtype", None)),
            "streams": isinstance(model, StreamingModel),
            "fits": isinstance(model, FittableModel),
        }, []

    def _infer(self, header: Header, arrays: wire.Arrays, context: CallContext) -> Reply:
        task = self.tasks.get(header["task"])
        with arrays_beside(arrays):
            requests = [task.request.from_json(text) for text in header["requests"]]
        answers = self.models[header["model"]].infer(requests, context)
        if not isinstance(answers, Sequence):
            raise ContractViolation(
                "the model did not answer each request once",
                expected=f"a list of {len(requests)} answers, one a request",
                got=type(answers).__name__,
            )
        del requests  # let go before the answer leaves, so that their memory can serve the next call
        sent: wire.Arrays = []
        return {"answers": wire.write_answers(answers, task.response, sent)}, sent

    def _stream(self, header: Header, arrays: wire.Arrays, context: CallContext) -> Reply:
        task = self.tasks.get(header["task"])
        model = self.models[header["model"]]
        if task.chunk is None or not isinstance(model, StreamingModel):
            raise InputError(f"{task.name} does not stream here")
        with arrays_beside(arrays):
            request = task.request.from_json(header["requests"][0])
        self.streams[header["call"]] = _Stream(iter(model.stream(request, context)), task.chunk, context)
        return {}, []

    def _next(self, header: Header, arrays: wire.Arrays, context: CallContext) -> Reply:
        stream = self.streams[header["call"]]
        try:
            piece = next(stream.pieces)
        except StopIteration:
            return {"answers": []}, []
        sent: wire.Arrays = []
        return {"answers": wire.write_answers([piece], stream.chunk, sent)}, sent

    def _end(self, header: Header, arrays: wire.Arrays, context: CallContext) -> Reply:
        stream = self.streams.pop(header["call"])
        context.cancel()
        if (close := getattr(stream.pieces, "close", None)) is not None:
            close()
        return {}, []

    def _fit(self, header: Header, arrays: wire.Arrays, context: CallContext) -> Reply:
        model = self.models[header["model"]]
        if not isinstance(model, FittableModel):
            raise InputError("the model is none that others are fitted from")
        card = model.fit(wire.read_fit(header["fit"], arrays), Path(header["directory"]), context)
        if not isinstance(card, ModelCard):
            raise ContractViolation(
                "the model did not return what it fitted", expected="a ModelCard", got=type(card).__name__
            )
        return {"card": card.to_json()}, []

    def _bytes(self, header: Header, arrays: wire.Arrays, context: CallContext) -> Reply:
        return {"bytes": int(self.models[header["model"]].resident_bytes())}, []

    def _unload(self, header: Header, arrays: wire.Arrays, context: CallContext) -> Reply:
        self.models.pop(header["model"]).close()
        return {}, []


def _shown(value: object) -> str | None:
    return None if value is None else str(value)


def _die_with(lifeline: int) -> None:
    """Have the kernel kill this process when the pipe's other end closes, even while a plugin holds the GIL."""
    if sys.platform == "linux":
        import fcntl

        fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)


def main(arguments: Sequence[str]) -> None:
    """Run the worker until its runtime goes."""
    descriptor, lifeline = map(int, arguments)
    for inherited in (descriptor, lifeline):
        os.set_inheritable(inherited, False)
    _die_with(lifeline)
    with suppress(Exception):
        faulthandler.enable()
    end = socket.socket(fileno=descriptor)
    # What a plugin forks must not keep the channel open when this process is gone.
    os.register_at_fork(after_in_child=lambda: os.close(end.fileno()))
    channel = Channel(end)
    try:
        start, _ = channel.receive()
        if start["path"] is not None:
            sys.path[:] = start["path"]
        record = wire.read_record(start["record"])
        channel.send({"contract": CONTRACT_VERSION, "pid": os.getpid()})
        _Server(channel, PluginHost([record])).serve()
    except ChannelClosedError:
        pass
    finally:
        # Threads of a plugin may be at work, or never end.
        os._exit(0)


if __name__ == "__main__":
    threading.current_thread().name = "metier-worker"
    main(sys.argv[1:])
