"""One `Size` for those of several requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

from metier_contracts import Size

_NUMBERS = tuple(field.name for field in fields(Size) if field.name != "unit")


def merged(sizes: Sequence[Size], how: Callable[[list[int]], float]) -> Size:
    """Return the size whose every number is `how` of those of the sizes, rounded. They are in one unit."""
    numbers: dict[str, Any] = {name: round(how([getattr(size, name) for size in sizes])) for name in _NUMBERS}
    return replace(sizes[0], **numbers)
