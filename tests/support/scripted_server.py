"""`ScriptedServer`: an HTTP server on loopback that answers each request as the test says, faults included."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

WAIT = 20.0


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: Any


Reply = Callable[["Handler"], None]


def answer(body: object, status: int = 200, **headers: str) -> Reply:
    """Answer with JSON, or with a text or bytes as they are."""
    data = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    named = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}

    def reply(handler: Handler) -> None:
        handler.begin(status, {**named, "content-length": str(len(data))})
        handler.wfile.write(data)

    return reply


def events(lines: Iterable[str], then: Reply | None = None) -> Reply:
    """Stream server-sent events, and end the answer as HTTP asks, or do something else after the last line."""
    sent = list(lines)

    def reply(handler: Handler) -> None:
        handler.begin(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        for line in sent:
            handler.chunk(f"{line}\n\n".encode())
        if then is not None:
            then(handler)
        else:
            handler.chunk(b"")

    return reply


def drop(handler: Handler) -> None:
    """End the connection in the midst."""
    handler.close_connection = True


def stall(handler: Handler) -> None:
    """Say nothing more until the client leaves."""
    handler.server.script.stalling.set()
    try:
        left = handler.rfile.read(1) == b""
    except OSError:
        left = True
    if left:
        handler.server.script.left.set()
    handler.close_connection = True


def endless(piece: bytes) -> Reply:
    """Send a body that does not end, until the client leaves."""

    def reply(handler: Handler) -> None:
        handler.begin(200, {"content-type": "application/json", "transfer-encoding": "chunked"})
        try:
            while True:
                handler.chunk(piece)
        except OSError:
            handler.server.script.left.set()
            handler.close_connection = True

    return reply


@dataclass
class ScriptedServer:
    """Serves on a free port. Replies are taken in order, the last one again and again.

    `asked`: the requests so far. `stalling`: set once a reply stalls; `left`: once the client has left one that did.
    """

    replies: Sequence[Reply] = ()
    asked: list[Asked] = field(default_factory=list)
    stalling: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)
    _open: set[Any] = field(default_factory=set)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.script = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        with self._changed:
            for handler in self._open:
                handler.connection.shutdown(2)
        self._server.server_close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def deserted(self) -> bool:
        """Wait until no connection is open; tell whether that came about."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._open, WAIT)

    def opened(self, handler: Any, is_open: bool) -> None:
        with self._changed:
            (self._open.add if is_open else self._open.discard)(handler)
            self._changed.notify_all()

    def take(self, asked: Asked) -> Reply:
        with self._changed:
            self.asked.append(asked)
            return self.replies[min(len(self.asked), len(self.replies)) - 1]


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    script: ScriptedServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    asked: Asked

    def setup(self) -> None:
        super().setup()
        self.server.script.opened(self, True)

    def finish(self) -> None:
        try:
            super().finish()
        except OSError:
            pass
        finally:
            self.server.script.opened(self, False)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.asked = Asked(self.path, headers, json.loads(body))
        reply = self.server.script.take(self.asked)
        try:
            reply(self)
        except OSError:
            self.close_connection = True

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:  # a client that has left
            self.close_connection = True

    def begin(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def log_message(self, *args: object) -> None: ...
