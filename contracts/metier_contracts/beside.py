"""Arrays beside the JSON: a record's arrays as they are, for a writer and a reader that share memory.

Within `arrays_beside(arrays)` a record's JSON holds the place of each array in that list instead of its contents:

    with arrays_beside(arrays := []):
        text = request.to_json()
    with arrays_beside(arrays):
        request == Embed.from_json(text)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from numpy.typing import NDArray

_KEY = "beside"
_arrays: ContextVar[list[NDArray[Any]] | None] = ContextVar("metier_arrays_beside", default=None)


@contextmanager
def arrays_beside(arrays: list[NDArray[Any]]) -> Iterator[list[NDArray[Any]]]:
    """Let records written in this block append their arrays to `arrays`, and those read take theirs from it.

    Arrays that are taken share their memory with the list's. They are checked for dtype and rank only: the writer had
    a record, whose values were checked when it was built.
    """
    token = _arrays.set(arrays)
    try:
        yield arrays
    finally:
        _arrays.reset(token)


def put(array: NDArray[Any]) -> dict[str, Any] | None:
    """Put an array beside the JSON that is being written, and return what stands for it; None where all goes inside."""
    arrays = _arrays.get()
    if arrays is None:
        return None
    arrays.append(array)
    return {_KEY: len(arrays) - 1}


def take(wire: Mapping[str, Any]) -> NDArray[Any] | None:
    """Return the array that `put` put beside; None where `wire` is no place of one."""
    arrays, place = _arrays.get(), wire.get(_KEY)
    if arrays is None or not isinstance(place, int) or not 0 <= place < len(arrays):
        return None
    return arrays[place]
