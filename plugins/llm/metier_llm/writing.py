"""`Writer`: turns tokens into text as they come, and ends it at a stop string."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tokenizers.decoders import DecodeStream


class Writer:
    """Collects the text of one generation.

    Args:
        tokenizer: the tokenizer of `tokenizers` that knows the tokens.
        stops: the strings that end the text; the first to come is cut off, with all behind it.
    """

    def __init__(self, tokenizer: Any, stops: Sequence[str] = ()) -> None:
        self._tokenizer = tokenizer
        self._stops = stops
        self._stream = DecodeStream(skip_special_tokens=True)
        self._sure = ""
        self._held = ""
        self.stopped = False

    @property
    def text(self) -> str:
        """All that is written, with what might yet turn out to begin a stop string."""
        return self._sure + self._held

    @property
    def sure(self) -> str:
        """The text that no later token takes back."""
        return self._sure

    def write(self, token: int) -> None:
        """Add a token. Bytes that end within a character wait for the rest of it."""
        self._held += self._stream.step(self._tokenizer, token) or ""
        found = [place for stop in self._stops if (place := self._held.find(stop)) >= 0]
        if found:
            self._sure += self._held[: min(found)]
            self._held = ""
            self.stopped = True
        else:
            keep = max((_overlap(self._held, stop) for stop in self._stops), default=0)
            cut = len(self._held) - keep
            self._sure, self._held = self._sure + self._held[:cut], self._held[cut:]


def _overlap(text: str, stop: str) -> int:
    """Return the length of the longest end of `text` that begins `stop`."""
    return next((size for size in range(min(len(text), len(stop) - 1), 0, -1) if stop.startswith(text[-size:])), 0)
