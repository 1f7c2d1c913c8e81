"""`content_of`: a digest of any value, by which it is known again where it comes as another object."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from types import BuiltinFunctionType, FunctionType
from typing import Any

import numpy as np
from metier_contracts.arrays import as_array
from pydantic import BaseModel

_PROTOCOL = 4
_NAMED = (type, FunctionType, BuiltinFunctionType)

Update = Callable[[bytes], object]


def content_of(value: Any) -> bytes | None:
    """Return a sha256 of a value's type and content; None for what cannot be read, such as a lock or a generator.

    Equal values of one type have one digest, whatever order their dicts and sets have; -0.0 and 0.0 have two. It holds
    in this process only.
    """
    digest = hashlib.sha256()
    try:
        _feed(value, digest.update)
    except Exception:
        return None  # no object of anybody's may keep a pipeline from running
    return digest.digest()


def _feed(value: Any, update: Update) -> None:
    kind = type(value)
    update(f"{kind.__module__}.{kind.__qualname__}:".encode())
    if kind is str:
        _write(value.encode("utf-8", "surrogatepass"), update)
    elif kind is bytes:
        _write(value, update)
    elif value is None or kind in (bool, int, float, complex):
        _write(repr(value).encode(), update)
    elif isinstance(value, np.ndarray) and not value.dtype.hasobject:
        _write(f"{value.dtype}{value.shape}".encode(), update)
        _write(value.tobytes(), update)
    elif hasattr(value, "detach"):
        _feed(as_array(value), update)  # a tensor
    elif isinstance(value, list | tuple):
        _feed_all(value, update)
    elif isinstance(value, dict):
        _feed_unordered(value.items(), update)
    elif isinstance(value, set | frozenset):
        _feed_unordered(value, update)
    elif isinstance(value, _NAMED):
        _write(f"{value.__module__}.{value.__qualname__}".encode(), update)
    else:
        _feed_all(_state(value), update)


def _state(value: Any) -> list[Any]:
    """Return what an object is made of: its fields, or what copying it would take."""
    if isinstance(value, BaseModel):  # what it keeps beside its fields comes and goes
        return [value.__dict__.get(name) for name in type(value).model_fields]
    if is_dataclass(value):
        return [getattr(value, field.name) for field in fields(value)]
    made = value.__reduce_ex__(_PROTOCOL)
    if isinstance(made, str):
        return [made]
    built, arguments, state, members, items = (*made, None, None, None)[:5]
    return [built, arguments, state, [*(members or ())], [*(items or ())]]


def _write(data: bytes, update: Update) -> None:
    update(b"%d:" % len(data))
    update(data)


def _feed_all(values: Iterable[Any], update: Update) -> None:
    held = [*values]
    update(b"%d:" % len(held))
    for one in held:
        _feed(one, update)


def _feed_unordered(values: Iterable[Any], update: Update) -> None:
    digests = []
    for one in values:
        digest = hashlib.sha256()
        _feed(one, digest.update)
        digests.append(digest.digest())
    _write(b"".join(sorted(digests)), update)
