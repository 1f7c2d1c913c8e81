"""`Refusal`: what a validator raises, so that the caller reads the field, what was expected and what came."""

from __future__ import annotations

import re
from typing import Any

_SHOWN = 80
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


class Refusal(ValueError):  # noqa: N818  (callers never see it; they see the InputError made of it)
    """Why a validator refuses a value.

    Args:
        expected: what would have been right.
        got: what came; left out, the value itself is shown.
        field: the field at fault, where the validator looks at a whole record.
        hint: the next thing to change.
    """

    def __init__(
        self, expected: str, got: str | None = None, *, field: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(expected if got is None else f"{expected}, got {got}")
        self.expected = expected
        self.got = got
        self.field = field
        self.hint = hint


def shown(value: Any, limit: int = _SHOWN) -> str:
    """Return a value as one short line; of an array only dtype and shape."""
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"{type(value).__name__} of {value.dtype}, shape {list(value.shape)}"
    text = _ADDRESS.sub("", " ".join(repr(value).split()))
    return text if len(text) <= limit else f"{text[:limit]}... ({type(value).__name__})"


def shown_error(error: BaseException, limit: int = 120) -> str:
    """Return what another library's error says, in one short line."""
    text = " ".join(str(error).partition(" <_io.")[0].split()) or type(error).__name__
    return text if len(text) <= limit else f"{text[:limit]}..."
