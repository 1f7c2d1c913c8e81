"""`Channel`: messages between a runtime and a worker, over a socket of their own.

A message is a JSON object and any number of arrays. Large arrays go through shared memory (`memory`), small ones behind
the JSON. Nothing is ever unpickled, on either side.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metier.isolation.memory import Inbox, Outbox, packed, planned, unpacked

Header = dict[str, Any]

_SHARED_FROM = 1 << 18  # bytes: below, a copy through the socket costs less than to keep a segment
_PREFIX = struct.Struct("<QQ")
_MOST_JSON = 1 << 31
_FRAME = "frame"


class ChannelClosedError(Exception):
    """The other side is gone, or has sent what is no message."""


class Channel:
    """One end. `send` may be called by any thread; `receive` by one."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._outbox, self._inbox = Outbox(), Inbox()
        self._sending = threading.Lock()

    def send(self, header: Header, arrays: Sequence[NDArray[Any]] = ()) -> None:
        """Send a message; return once it is on its way.

        Raises:
            ChannelClosedError: the other side is gone.
        """
        layout, size = planned(arrays)
        taken = self._outbox.take(size) if size >= _SHARED_FROM else None
        frame: Header = {"layout": layout}
        tail = memoryview(b"")
        descriptors: list[int] = []
        if taken is None:
            memory = np.zeros(size, np.uint8)
            packed(arrays, layout, memory)
            tail = memory.data
        else:
            segment, descriptor = taken
            packed(arrays, layout, np.frombuffer(segment.map, np.uint8))
            frame["segment"] = segment.number
            if descriptor is not None:
                frame["size"] = segment.size
                descriptors.append(descriptor)
        try:
            with self._sending:
                frame["released"], frame["dropped"] = self._inbox.released(), self._outbox.dropped()
                text = json.dumps({**header, _FRAME: frame}).encode()
                prefix = _PREFIX.pack(len(text), len(tail))
                # A descriptor travels with the first bytes sent beside it: these few are never sent in part.
                socket.send_fds(self._socket, [prefix], descriptors)
                self._socket.sendall(text)
                if tail:
                    self._socket.sendall(tail)
        except OSError as error:
            raise ChannelClosedError(str(error)) from error
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def receive(self) -> tuple[Header, list[NDArray[Any]]]:
        """Wait for the next message.

        Raises:
            ChannelClosedError: there will be none.
        """
        try:
            prefix, descriptors, _, _ = socket.recv_fds(self._socket, _PREFIX.size, 1)
            text_size, tail_size = _PREFIX.unpack(prefix + self._exactly(_PREFIX.size - len(prefix)))
            if text_size > _MOST_JSON:
                raise ValueError(f"a header of {text_size} bytes")
            header = json.loads(self._exactly(text_size))
            tail = self._exactly(tail_size)
            return header, self._arrays(header.pop(_FRAME), tail, descriptors)
        except (OSError, ValueError, TypeError, LookupError, AttributeError, MemoryError) as error:
            raise ChannelClosedError(f"{type(error).__name__}: {error}") from error

    def _arrays(self, frame: Header, tail: bytearray, descriptors: list[int]) -> list[NDArray[Any]]:
        self._outbox.give_back(frame["released"])
        self._inbox.unmap(frame["dropped"])
        if "segment" not in frame:
            return unpacked(np.frombuffer(tail, np.uint8), frame["layout"])
        if descriptors:
            self._inbox.map(frame["segment"], descriptors[0], frame["size"])
        return self._inbox.arrays(frame["segment"], frame["layout"])

    def _exactly(self, count: int) -> bytearray:
        data = bytearray(count)
        view = memoryview(data)
        while view:
            got = self._socket.recv_into(view)
            if got == 0:
                raise ChannelClosedError("the other side has closed")
            view = view[got:]
        return data

    @property
    def mapped_bytes(self) -> int:
        """The bytes of shared memory, of both sides."""
        return self._outbox.mapped_bytes + self._inbox.mapped_bytes

    def close(self) -> None:
        """End the connection; whoever waits in `send` or `receive` is woken."""
        with suppress(OSError):  # the other side was quicker
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
