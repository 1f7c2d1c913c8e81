"""Shared memory in segments that are used again, and the arrays that lie in them.

A segment belongs to the side that writes it. The other side maps it once, and its arrays are views of it; when the
last of them is gone, the segment is free again. A fresh one costs more than the copy into it, since each of its pages
has to be made; hence the pool.
"""

from __future__ import annotations

import mmap
import os
import sys
import tempfile
import threading
import weakref
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ALIGNMENT = 64
_GRAIN = 1 << 16
_WASTE = 4  # a free segment serves what is at least a quarter of it
# Before Python 3.13 each mapping holds a descriptor, of which a process may have a thousand.
_MOST_HELD = 32
_MOST_FREE = 8
_MOST_FREE_BYTES = 1 << 29
_KINDS = "biufM"
_POPULATE_WRITE = 23  # MADV_POPULATE_WRITE of Linux 5.14, which the module mmap does not name

Layout = list[tuple[str, list[int], int]]
"""dtype, shape and offset of each array of a message."""


@dataclass(frozen=True, eq=False)
class Segment:
    """A piece of memory that both sides map."""

    number: int
    map: mmap.mmap

    @property
    def size(self) -> int:
        """Its bytes."""
        return len(self.map)


def shared_file(size: int) -> int:
    """Return the descriptor of `size` bytes of memory, or of an unlinked file where the system has no memfd.

    Raises:
        OSError: there is no room. All of it is allocated now: a page that is missing later would be a SIGBUS.
    """
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("metier", os.MFD_CLOEXEC)
    else:
        descriptor, path = tempfile.mkstemp(prefix="metier-")
        os.unlink(path)  # noqa: PTH108  (a descriptor's file has no Path)
    try:
        os.ftruncate(descriptor, size)
        _ask_for_large_pages(descriptor, size)
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
        else:
            for start in range(0, size, _GRAIN):
                os.pwrite(descriptor, bytes(min(_GRAIN, size - start)), start)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _ask_for_large_pages(descriptor: int, size: int) -> None:
    """Have the kernel make the pages, large ones where it gives those to who asks (shmem_enabled is "advise").

    A copy into them takes a third less time. `posix_fallocate` would make small ones, and makes whatever is lacking.
    """
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with _mapped(descriptor, size) as mapped, suppress(OSError):  # an older kernel, or no room
            mapped.madvise(_POPULATE_WRITE)


def _mapped(descriptor: int, size: int) -> mmap.mmap:
    if sys.version_info >= (3, 13):
        mapped = mmap.mmap(descriptor, size, trackfd=False)
    else:
        mapped = mmap.mmap(descriptor, size)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):  # a kernel without large pages
            mapped.madvise(mmap.MADV_HUGEPAGE)
    return mapped


class Outbox:
    """The segments that this side writes."""

    def __init__(self) -> None:
        self._numbers = 0
        self._held: dict[int, Segment] = {}
        self._free: list[Segment] = []
        self._dropped: list[int] = []
        self._lock = threading.Lock()

    def take(self, size: int) -> tuple[Segment, int | None] | None:
        """Return a segment of at least `size` bytes, and its descriptor if it is a new one.

        None where there is no room for another: the bytes then go through the socket. The caller closes the descriptor
        once the other side has it.
        """
        rounded = -(-size // _GRAIN) * _GRAIN
        with self._lock:
            fitting = [segment for segment in self._free if size <= segment.size <= rounded * _WASTE]
            if fitting:
                best = min(fitting, key=lambda segment: segment.size)
                self._free.remove(best)
                self._held[best.number] = best
                return best, None
            if len(self._held) >= _MOST_HELD:
                return None
            try:
                descriptor = shared_file(rounded)
            except OSError:
                return None
            self._numbers += 1
            segment = Segment(self._numbers, _mapped(descriptor, rounded))
            self._held[segment.number] = segment
            return segment, descriptor

    def give_back(self, numbers: Sequence[int]) -> None:
        """Take back segments that the other side reads no more."""
        with self._lock:
            self._free += [segment for number in numbers if (segment := self._held.pop(number, None)) is not None]
            while len(self._free) > _MOST_FREE or sum(segment.size for segment in self._free) > _MOST_FREE_BYTES:
                self._dropped.append(self._free.pop(0).number)

    def dropped(self) -> list[int]:
        """Return the segments given up since the last call, for the other side to unmap."""
        with self._lock:
            dropped, self._dropped = self._dropped, []
            return dropped

    @property
    def mapped_bytes(self) -> int:
        """The bytes of all segments."""
        with self._lock:
            return sum(segment.size for segment in (*self._held.values(), *self._free))


class Inbox:
    """The segments that the other side writes, as this side has mapped them."""

    def __init__(self) -> None:
        self._maps: dict[int, mmap.mmap] = {}
        # A finalizer runs wherever the garbage collector does: it may only append.
        self._released: deque[int] = deque()

    def map(self, number: int, descriptor: int, size: int) -> None:
        """Map a new segment; its descriptor is closed."""
        try:
            if os.fstat(descriptor).st_size < size:
                raise ValueError(f"a segment of {size} bytes is shorter")
            self._maps[number] = _mapped(descriptor, size)
        finally:
            os.close(descriptor)

    def unmap(self, numbers: Sequence[int]) -> None:
        """Give up segments that the other side has given up."""
        for number in numbers:
            self._maps.pop(number, None)

    def arrays(self, number: int, layout: Layout) -> list[NDArray[Any]]:
        """Return the arrays of a message; when the last of them is gone, `released` tells it."""
        whole = np.frombuffer(self._maps[number], np.uint8)
        # Every view that numpy makes of it has the same base, however many views lie between.
        weakref.finalize(whole.base, self._released.append, number).atexit = False
        return unpacked(whole, layout)

    def released(self) -> list[int]:
        """Return the segments that were read to the end since the last call."""
        released = []
        while self._released:
            released.append(self._released.popleft())
        return released

    @property
    def mapped_bytes(self) -> int:
        """The bytes of all segments."""
        return sum(map(len, tuple(self._maps.values())))


def planned(arrays: Sequence[NDArray[Any]]) -> tuple[Layout, int]:
    """Return where each array goes in one piece of memory, and the size of that."""
    layout: Layout = []
    end = 0
    for array in arrays:
        start = -(-end // _ALIGNMENT) * _ALIGNMENT
        layout.append((array.dtype.str, list(array.shape), start))
        end = start + array.nbytes
    return layout, end


def packed(arrays: Sequence[NDArray[Any]], layout: Layout, memory: NDArray[np.uint8]) -> None:
    """Copy the arrays to their places."""
    for array, (_, _, start) in zip(arrays, layout, strict=True):
        if array.nbytes:
            place = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
            np.copyto(place, array)


def unpacked(memory: NDArray[np.uint8], layout: Layout) -> list[NDArray[Any]]:
    """Return the arrays as views of the memory they lie in.

    Raises:
        ValueError: the layout is none of this memory.
    """
    arrays = []
    for code, shape, start in layout:
        dtype = np.dtype(code)
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        if dtype.kind not in _KINDS or min(shape, default=0) < 0 or start < 0 or start + size > memory.nbytes:
            raise ValueError(f"{code} {shape} at {start} is no array in {memory.nbytes} bytes")
        arrays.append(memory[start : start + size].view(dtype).reshape(shape))
    return arrays
