from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from metier.isolation.channel import Channel, ChannelClosedError

LARGE = 1 << 20


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    first, second = map(Channel, socket.socketpair(socket.AF_UNIX))
    yield first, second
    first.close()
    second.close()


def bounce(ends: tuple[Channel, Channel], size: int, fill: int) -> np.ndarray[Any, Any]:
    """Send an array and an answer, and return the array as it came."""
    here, there = ends
    here.send({"n": fill}, [np.full(size, fill, np.uint8)])
    header, (array,) = there.receive()
    assert header == {"n": fill}
    there.send({})
    here.receive()
    return array


@pytest.mark.parametrize("size", [0, 100, LARGE])
def test_arrays_arrive_whatever_their_size(ends: tuple[Channel, Channel], size: int) -> None:
    assert bounce(ends, size, 7).tolist() == [7] * size


def test_large_arrays_share_one_segment_in_the_long_run(ends: tuple[Channel, Channel]) -> None:
    for turn in range(10):
        assert (bounce(ends, LARGE, turn) == turn).all()
    here, there = ends
    # One message tells that the segment is free when the next is on its way already.
    assert here.mapped_bytes == there.mapped_bytes <= 2 * LARGE


def test_an_array_that_is_kept_is_not_written_over(ends: tuple[Channel, Channel]) -> None:
    kept = [bounce(ends, LARGE, turn) for turn in range(4)]
    assert [int(array[0]) for array in kept] == [0, 1, 2, 3]


def test_many_arrays_kept_leave_a_process_its_descriptors(ends: tuple[Channel, Channel], start: Any) -> None:
    here, there = ends
    before = len(os.listdir("/proc/self/fd"))
    sending = start(lambda: [here.send({}, [np.full(LARGE, turn, np.uint8)]) for turn in range(50)])
    kept = [there.receive()[1][0] for _ in range(50)]
    assert isinstance(sending.outcome(), list)
    assert [int(array[-1]) for array in kept] == list(range(50))
    assert len(os.listdir("/proc/self/fd")) - before <= 64


def test_without_shared_memory_arrays_go_through_the_socket(
    ends: tuple[Channel, Channel], monkeypatch: pytest.MonkeyPatch, start: Any
) -> None:
    def full(*_: Any) -> None:
        raise OSError("no room")

    monkeypatch.setattr(os, "posix_fallocate", full)
    here, there = ends
    sending = start(lambda: here.send({}, [np.full(LARGE, 3, np.uint8)]))
    _, (array,) = there.receive()
    assert sending.outcome() is None
    assert array.sum() == 3 * LARGE
    assert here.mapped_bytes == 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"abc",
        struct.pack("<QQ", 2, 0) + b"{}",
        struct.pack("<QQ", 2, 0) + b"]]",
        struct.pack("<QQ", 1 << 40, 0),
        struct.pack("<QQ", 54, 0) + b'{"frame": {"released": [], "dropped": [], "layout":0}}',
        struct.pack("<QQ", 2, 1 << 62) + b"{}",
    ],
)
def test_what_is_no_message_ends_the_channel(data: bytes) -> None:
    raw, end = socket.socketpair(socket.AF_UNIX)
    with raw:
        raw.sendall(data)
        raw.shutdown(socket.SHUT_WR)
        channel = Channel(end)
        with pytest.raises(ChannelClosedError):
            channel.receive()
        channel.close()


def test_a_send_to_nobody_is_told(ends: tuple[Channel, Channel]) -> None:
    ends[1].close()
    with pytest.raises(ChannelClosedError):
        ends[0].send({}, [np.zeros(LARGE, np.uint8)])
