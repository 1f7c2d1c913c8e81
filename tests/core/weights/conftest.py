"""Wheels made here, a loopback server that counts and stalls, and processes that pull and can be killed."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest
from metier_contracts import ModelCard

from tests.support import wheels

TIMEOUT = 30.0
PULL = """
import sys
from pathlib import Path
from metier.weights import WeightStore
from metier_contracts import MetierError, ModelCard
card = ModelCard.from_json(sys.argv[2])
print("ready", flush=True)
try:
    print(WeightStore(Path(sys.argv[1])).ensure(card))
except MetierError as error:
    print(error, repr(error.__cause__), file=sys.stderr)
    sys.exit(print(type(error).__name__) or 1)
"""


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(autouse=True)
def hub_may_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole run is kept off the hub; the hub of these tests is a server on loopback."""
    import huggingface_hub.constants

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)


@pytest.fixture
def digest() -> Callable[[bytes], str]:
    return sha256


@pytest.fixture
def noise() -> Callable[[int], bytes]:
    """Bytes that do not compress, the same on each run."""
    return lambda size: random.Random(0).randbytes(size)


@pytest.fixture
def make_card() -> Callable[..., ModelCard]:
    def make(source: str | None, **fields: object) -> ModelCard:
        defaults = {"id": "acme/tiny", "plugin": "acme", "architecture": "classic", "licence": "MIT"}
        return ModelCard.from_mapping({**defaults, "source": source, "tasks": {"classify": {}}, **fields})

    return make


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def listing() -> Callable[[Path], list[str]]:
    """The names in a folder."""
    return lambda folder: sorted(path.name for path in folder.iterdir())


@pytest.fixture
def only_locks(listing: Callable[[Path], list[str]]) -> Callable[[Path], bool]:
    """Whether a store holds nothing but its lock files."""
    return lambda folder: all(name.endswith(".lock") for name in listing(folder))


@pytest.fixture
def wait_until() -> Callable[[Callable[[], object]], None]:
    def wait(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + TIMEOUT
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come about"
            threading.Event().wait(0.01)

    return wait


@pytest.fixture
def build_wheel(tmp_path: Path) -> Callable[..., Path]:
    """Return a function (name, {member: bytes}) that builds NAME-1.0-py3-none-any.whl and returns its path."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    return lambda name, members: wheels.build_wheel(folder, name, members)


@pytest.fixture
def local_wheels(pip_only: Callable[[dict[str, str]], None], tmp_path: Path) -> None:
    """Let pip see the wheels of `build_wheel` alone."""
    pip_only({"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "wheels")})


class Server:
    """Serves `files` (path -> bytes) with ranges; `seen` holds (method, path, Range header) of each request.

    A path in `stalls` is sent up to that many bytes, then `stalled` is set and the rest waits for `release()`; one in
    `breaks` is cut off there, as often as it is listed. `statuses` answers a path with that status and headers.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.seen: list[tuple[str, str, str | None]] = []
        self.stalls: dict[str, int] = {}
        self.breaks: list[tuple[str, int]] = []
        self.statuses: dict[str, tuple[int, dict[str, str]]] = {}
        self.ranges = True
        self.stalled = threading.Event()
        self._released = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def release(self) -> None:
        self.stalls.clear()
        self._released.set()

    def close(self) -> None:
        self.release()
        self._http.shutdown()
        self._http.server_close()

    def gets(self, path: str) -> list[str | None]:
        """The Range headers of the GET requests for a path."""
        return [header for method, where, header in self.seen if (method, where) == ("GET", path)]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server._answer(self, body=True)

            def do_HEAD(self) -> None:
                server._answer(self, body=False)

            def log_message(self, *args: object) -> None:
                pass

        return Handler

    def _answer(self, request: BaseHTTPRequestHandler, *, body: bool) -> None:
        path = request.path.partition("?")[0]
        header = request.headers["Range"]
        self.seen.append((request.command, path, header))
        try:
            if path in self.statuses or path not in self.files:
                self._refuse(request, *self.statuses.get(path, (404, {})))
            else:
                self._send(request, path, header if self.ranges else None, body=body)
        except (BrokenPipeError, ConnectionResetError):
            request.close_connection = True

    def _refuse(self, request: BaseHTTPRequestHandler, status: int, headers: dict[str, str]) -> None:
        request.send_response(status)
        for name, value in {**headers, "Content-Length": "0"}.items():
            request.send_header(name, value)
        request.end_headers()

    def _send(self, request: BaseHTTPRequestHandler, path: str, header: str | None, *, body: bool) -> None:
        data = self.files[path]
        start = int(re.findall(r"\d+", header)[0]) if header else 0
        request.send_response(206 if header else 200)
        request.send_header("Content-Type", "text/html" if path.endswith("/") else "application/octet-stream")
        request.send_header("Content-Length", str(len(data) - start))
        request.send_header("Accept-Ranges", "bytes")
        request.send_header("ETag", f'"{sha256(data)}"')
        request.send_header("X-Repo-Commit", "c" * 40)
        if header:
            request.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        request.end_headers()
        if body:
            self._write(request, path, data, start)

    def _write(self, request: BaseHTTPRequestHandler, path: str, data: bytes, start: int) -> None:
        breaks = [stop for where, stop in self.breaks if where == path]
        stop = self.stalls.get(path, breaks[0] if breaks else len(data))
        request.wfile.write(data[start:stop])
        request.wfile.flush()
        if path in self.stalls:
            self.stalled.set()
            self._released.wait(TIMEOUT)
        elif breaks:
            self.breaks.remove((path, stop))
            request.close_connection = True
            return
        request.wfile.write(data[max(start, stop) :])


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def index(server: Server, pip_only: Callable[[dict[str, str]], None]) -> Callable[[Path], str]:
    """Return a function that offers a wheel on a loopback index, pip's only one, and returns the wheel's URL path."""
    # Longer than any test: a pip that outlives its parent must not be taken for one that was ended.
    pip_only({"PIP_INDEX_URL": f"{server.url}/simple", "PIP_DEFAULT_TIMEOUT": "600"})

    def offer(wheel: Path) -> str:
        path = f"/files/{wheel.name}"
        server.files[path] = wheel.read_bytes()
        name = wheel.name.partition("-")[0]
        server.files[f"/simple/{name}/"] = f'<a href="{path}#sha256={sha256(server.files[path])}">w</a>'.encode()
        return path

    return offer


@pytest.fixture
def start_pull(root: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Return a function that starts a process which pulls a card into `root`; it prints "ready" before it begins."""
    started: list[subprocess.Popen[str]] = []

    def start(card: ModelCard, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", PULL, str(root), card.to_json()],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **environment},
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def kill(wait_until: Callable[[Callable[[], object]], None]) -> Callable[[subprocess.Popen[str]], None]:
    """Return a function that kills a process with SIGKILL and waits until what it started is gone too."""

    def gone(process: psutil.Process) -> bool:
        # Where nothing reaps orphans, a dead one stays as a zombie.
        try:
            return process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    def kill(process: subprocess.Popen[str]) -> None:
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
        wait_until(lambda: all(gone(child) for child in children))

    return kill


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Return a function that mounts a tmpfs with the given options; skips the test where mounting is not allowed."""
    places: list[Path] = []

    def mount(options: str) -> Path:
        place = tmp_path / f"disk{len(places)}"
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("this user cannot mount a tmpfs")
        places.append(place)
        return place

    yield mount
    for place in places:
        subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def hub(server: Server) -> Callable[..., str]:
    """Return a function that serves {name: bytes} as a repository of the Hub and returns its commit."""
    commit = "c" * 40

    def serve(files: dict[str, bytes], *, repository: str = "acme/tiny", lfs: bool = True) -> str:
        tree = [_tree_entry(name, data, lfs=lfs) for name, data in files.items()]
        server.files[f"/api/models/{repository}/tree/{commit}"] = json.dumps(tree).encode()
        for name, data in files.items():
            server.files[f"/{repository}/resolve/{commit}/{name}"] = data
        return commit

    return serve


def _tree_entry(name: str, data: bytes, *, lfs: bool) -> dict[str, object]:
    entry: dict[str, object] = {"type": "file", "path": name, "size": len(data), "oid": "0" * 40}
    if lfs and name.endswith((".safetensors", ".gguf", ".bin")):
        entry["lfs"] = {"size": len(data), "oid": sha256(data), "pointerSize": 134}
    return entry
