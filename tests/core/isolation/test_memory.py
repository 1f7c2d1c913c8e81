from __future__ import annotations

import errno
import gc
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from metier.isolation import memory
from metier.isolation.memory import Inbox, Outbox, packed, planned, unpacked

SETTING = Path("/sys/kernel/mm/transparent_hugepage/shmem_enabled")
GIVEN = SETTING.is_file() and re.search(r"\[(advise|within_size|always|force)\]", SETTING.read_text(encoding="ascii"))
ARRAYS = [
    np.arange(7, dtype=np.float32),
    np.zeros((0, 4), np.int64),
    np.array([True, False]),
    np.array(["2026-01-01"], "datetime64[ns]"),
    np.arange(12, dtype=np.uint8).reshape(2, 2, 3),
    np.array(3.5),
]


def mapped(outbox: Outbox, inbox: Inbox, size: int) -> int:
    """Take a segment, and map it on the other side if it is new; return its number."""
    taken = outbox.take(size)
    assert taken is not None
    segment, descriptor = taken
    if descriptor is not None:
        inbox.map(segment.number, descriptor, segment.size)
    return segment.number


def test_arrays_come_out_of_memory_as_they_went_in() -> None:
    layout, size = planned(ARRAYS)
    piece = np.zeros(size, np.uint8)
    packed(ARRAYS, layout, piece)
    for given, found in zip(ARRAYS, unpacked(piece, layout), strict=True):
        assert found.dtype == given.dtype
        assert found.shape == given.shape
        assert found.tobytes() == given.tobytes()
        assert found.flags.writeable
        assert found.ctypes.data % 8 == 0 or found.size == 0


@pytest.mark.parametrize(
    ("code", "shape", "start"),
    [("O", [1], 0), ("<f4", [5], 0), ("<f4", [-1], 0), ("<f4", [1], -4), ("|u1", [1], 16), ("<U4", [1], 0)],
)
def test_a_layout_that_is_none_of_the_memory_is_refused(code: str, shape: list[int], start: int) -> None:
    with pytest.raises(ValueError, match="no array in 16 bytes"):
        unpacked(np.zeros(16, np.uint8), [(code, shape, start)])


def test_a_segment_is_free_again_when_the_last_view_is_gone() -> None:
    outbox, inbox = Outbox(), Inbox()
    number = mapped(outbox, inbox, 1000)
    arrays = inbox.arrays(number, [("<f4", [10], 0), ("<f4", [2, 5], 64)])
    kept = arrays[1].T[1:].view(np.int32)
    del arrays
    gc.collect()
    assert inbox.released() == []
    del kept
    assert inbox.released() == [number]
    outbox.give_back([number])
    assert mapped(outbox, inbox, 900) == number


def test_a_segment_in_use_is_not_written_over() -> None:
    outbox, inbox = Outbox(), Inbox()
    first = mapped(outbox, inbox, 1000)
    (held,) = inbox.arrays(first, [("|u1", [1000], 0)])
    assert mapped(outbox, inbox, 1000) != first
    assert held.sum() == 0


def test_a_large_segment_is_not_spent_on_little() -> None:
    outbox, inbox = Outbox(), Inbox()
    large = mapped(outbox, inbox, 1 << 22)
    outbox.give_back([large])
    assert mapped(outbox, inbox, 1000) != large
    assert mapped(outbox, inbox, 1 << 21) == large


def test_what_lies_free_beyond_a_limit_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_MOST_FREE_BYTES", 1 << 17)
    outbox, inbox = Outbox(), Inbox()
    numbers = [mapped(outbox, inbox, 1 << 16) for _ in range(3)]
    outbox.give_back(numbers)
    assert outbox.dropped() == numbers[:1]
    inbox.unmap(numbers[:1])
    assert outbox.mapped_bytes == inbox.mapped_bytes == 1 << 17
    assert outbox.dropped() == []


def test_where_there_is_no_room_there_is_no_segment(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    descriptors = len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(os, "posix_fallocate", full)
    assert Outbox().take(1000) is None
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_no_more_segments_are_held_than_a_process_may_map(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_MOST_HELD", 2)
    outbox, inbox = Outbox(), Inbox()
    first, _ = mapped(outbox, inbox, 10), mapped(outbox, inbox, 10)
    assert outbox.take(10) is None
    outbox.give_back([first])
    assert mapped(outbox, inbox, 10) == first


@pytest.mark.parametrize("absent", ["memfd_create", "posix_fallocate"])
def test_a_file_serves_where_the_system_lacks_the_means(absent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, absent)
    outbox, inbox = Outbox(), Inbox()
    number = mapped(outbox, inbox, 1 << 17)
    (array,) = inbox.arrays(number, [("|u1", [1 << 17], 0)])
    array += 1
    assert array.sum() == 1 << 17


@pytest.mark.skipif(not GIVEN, reason="shmem_enabled gives large pages to nobody who asks for them here")
def test_a_segment_has_large_pages_on_both_sides() -> None:
    outbox, inbox = Outbox(), Inbox()
    before = large_pages()
    taken = outbox.take(1 << 23)
    assert taken is not None
    segment, descriptor = taken
    assert descriptor is not None
    inbox.map(segment.number, descriptor, segment.size)
    np.frombuffer(segment.map, np.uint8)[:] = 1
    assert inbox.arrays(segment.number, [("|u1", [1 << 23], 0)])[0].sum() == 1 << 23
    assert large_pages() - before == 2 << 23


def large_pages() -> int:
    """Return the bytes of large pages of shared memory that this process has mapped."""
    lines = Path("/proc/self/smaps").read_text(encoding="ascii").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("ShmemPmdMapped")) * 1024


def test_a_segment_shorter_than_it_claims_is_not_mapped() -> None:
    with pytest.raises(ValueError, match="shorter"):
        Inbox().map(1, memory.shared_file(10), 1 << 20)
