"""Whether two answers are the same up to rounding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from metier_contracts import RankedToken, Response
from metier_contracts.contract import Contract

# bfloat16 has 8 bits of mantissa: a padded batch and a single input round their sums otherwise.
TOLERANCE = 2e-2


def difference(one: Response, other: Response, tolerance: float = TOLERANCE) -> str | None:
    """Return where two answers differ by more than `tolerance`, None where they do not. Provenance does not count.

    The tolerance is absolute up to a magnitude of 1 and relative beyond; of masks it is the share of pixels that may
    change sides. Ranked tokens of nearly one score may change places.
    """
    return _differs("", _fields(one), _fields(other), tolerance)


def _fields(record: Contract) -> dict[str, Any]:
    return {name: getattr(record, name) for name in type(record).model_fields if name != "provenance"}


def _differs(path: str, left: Any, right: Any, tolerance: float) -> str | None:
    if isinstance(left, Contract) and isinstance(right, Contract):
        left, right = _fields(left), _fields(right)
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        if left.keys() != right.keys():
            return f"{path or 'the answer'} has the keys {sorted(left)} and {sorted(right)}"
        pairs = [(f"{path}.{key}".lstrip("."), left[key], right[key]) for key in left]
    elif isinstance(left, list | tuple) and isinstance(right, list | tuple):
        if len(left) != len(right):
            return f"{path} has {len(left)} and {len(right)} entries"
        if tolerance and all(isinstance(entry, RankedToken) for entry in (*left, *right)):
            return _differs_in_rank(path, left, right, tolerance)
        pairs = [(f"{path}[{place}]", *both) for place, both in enumerate(zip(left, right, strict=True))]
    else:
        same = _close(left, right, tolerance)
        return None if same else f"{path}: {_short(left)} and {_short(right)}"
    return next((found for pair in pairs if (found := _differs(*pair, tolerance)) is not None), None)


def _differs_in_rank(
    path: str, left: Sequence[RankedToken], right: Sequence[RankedToken], tolerance: float
) -> str | None:
    """Compare scores by place and by token; one that is missing in the other list stands right behind its last."""
    for place, (one, other) in enumerate(zip(left, right, strict=True)):
        same = next((entry for entry in right if entry.token == one.token), right[-1])
        if not all(_close(one.score, found.score, tolerance) for found in (other, same)):
            return f"{path}[{place}]: {_short(one)} and {_short(other)}"
    return None


def _close(left: Any, right: Any, tolerance: float) -> bool:
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        return _close_arrays(left, right, tolerance)
    if isinstance(left, float | np.floating) and isinstance(right, float | np.floating):
        return abs(float(left) - float(right)) <= tolerance * max(1.0, abs(float(left))) or bool(
            np.isnan(left) and np.isnan(right)
        )
    return bool(left == right)


def _close_arrays(left: Any, right: Any, tolerance: float) -> bool:
    if (left.dtype, left.shape) != (right.dtype, right.shape):
        return False
    if left.dtype == np.bool_:
        return bool((left != right).sum() <= tolerance * left.size)
    if left.dtype.kind != "f":
        return bool((left == right).all())
    largest = float(np.nanmax(np.abs(left), initial=0))
    return bool(np.allclose(left, right, rtol=0, atol=tolerance * max(1, largest), equal_nan=True))


def _short(value: Any) -> str:
    text = f"{value.dtype} {list(value.shape)}" if isinstance(value, np.ndarray) else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
