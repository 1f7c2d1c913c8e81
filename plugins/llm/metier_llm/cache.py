"""`KeyValues`: the keys and values of the sequences that are decoded side by side, which join and leave one by one.

Rows end in the same column, so that all of them write their next token there and transformers' own masks, those of
sliding windows included, hold for them: a shorter row has padding at its left.

    row 0   . . a b c d
    row 1   e f g h i j
    row 2   . . . . k l
            ^start      ^end: where the next token of each goes
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import Cache
from transformers.cache_utils import CacheLayerMixin

_SLACK = 64


class _Frame:
    """Which columns are in use, the same in every layer. `lengths`: the tokens of each row."""

    def __init__(self, lengths: list[int]) -> None:
        self.end = 0
        self.lengths = lengths

    @property
    def width(self) -> int:
        return max(self.lengths, default=0)

    @property
    def start(self) -> int:
        return self.end - self.width


class _Layer(CacheLayerMixin):  # type: ignore[misc]
    """One layer's storage [rows, heads, columns, dimensions], of which the frame says what is in use."""

    is_sliding = False

    def __init__(self, frame: _Frame) -> None:
        super().__init__()
        self._frame = frame

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Make room for the first tokens."""
        self.dtype, self.device = key_states.dtype, key_states.device
        rows, columns = key_states.shape[0], key_states.shape[2] + _SLACK
        self.keys = _room(key_states, rows, columns)
        self.values = _room(value_states, rows, columns)
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write the states [n, heads, q, dimensions] at the end of the first n rows; return all columns of these."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        rows, end = slice(0, key_states.shape[0]), self._frame.end
        after = end + key_states.shape[2]
        self.keys[rows, :, end:after] = key_states
        self.values[rows, :, end:after] = value_states
        used = slice(self._frame.start, after)
        return self.keys[rows, :, used], self.values[rows, :, used]

    def each(self, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
        """Replace the keys and the values by what `change` makes of them."""
        self.keys, self.values = change(self.keys), change(self.values)

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Return how many columns a mask spans, and where they begin."""
        return self._frame.width + query_length, 0

    def get_seq_length(self) -> int:
        """Return the columns in use."""
        return self._frame.width

    def get_max_length(self) -> int:
        """Return -1: there is no most."""
        return -1


class KeyValues(Cache):  # type: ignore[misc]
    """A cache of transformers.

    Args:
        layers: how many the model has.
        padding: of prompts that the next forward pass reads, one a row, the padding tokens before each.
    """

    def __init__(self, layers: int, padding: Sequence[int] = ()) -> None:
        self._frame = _Frame([-count for count in padding])
        super().__init__(layers=[_Layer(self._frame) for _ in range(layers)])

    @property
    def lengths(self) -> list[int]:
        """The tokens of each row."""
        return self._frame.lengths

    def nbytes(self) -> int:
        """Return the bytes of the storage."""
        tensors = [tensor for layer in self.layers if layer.is_initialized for tensor in (layer.keys, layer.values)]
        return sum(tensor.untyped_storage().nbytes() for tensor in tensors)

    def reserve(self, tokens: int) -> None:
        """Make room for `tokens` more in every row. Call it before the forward pass that writes them."""
        if self.layers[0].is_initialized and self._frame.end + tokens > self.layers[0].keys.shape[2]:
            width = self._frame.width
            self._lay_out(len(self.lengths), width, width + tokens + max(_SLACK, width // 2))

    def advance(self, tokens: int) -> None:
        """Count the tokens that a forward pass has just written into every row."""
        self._frame.end += tokens
        self._frame.lengths = [length + tokens for length in self.lengths]

    def positions(self, tokens: int) -> torch.Tensor:
        """Return the positions of the next tokens, int64 [rows, tokens]."""
        return (torch.tensor(self.lengths)[:, None] + torch.arange(tokens)).clamp(min=0)

    def padding_mask(self, tokens: int) -> torch.Tensor | None:
        """Return int64 [rows, width + tokens], 0 where a row is padded, or None where none is."""
        width = self._frame.width
        if min(self.lengths) == width:
            return None
        columns = torch.arange(width + tokens)
        return (columns >= width - torch.tensor(self.lengths)[:, None]).long()

    def join(self, other: KeyValues, place: int) -> None:
        """Add the row `place` of `other` as the last one."""
        length = other.lengths[place]
        row, width = len(self.lengths), max(self._frame.width, length)
        if not self.layers[0].is_initialized:
            for mine, theirs in zip(self.layers, other.layers, strict=True):
                mine.lazy_initialization(theirs.keys[:1, :, :length], theirs.values[:1, :, :length])
            self._frame.end = length
        elif self._frame.end < length or row == self.layers[0].keys.shape[0]:
            self._lay_out(max(row + 1, row * 3 // 2), width, width + max(_SLACK, width // 2))
        into = slice(self._frame.end - length, self._frame.end)
        come_from = slice(other._frame.end - length, other._frame.end)
        for mine, theirs in zip(self.layers, other.layers, strict=True):
            mine.keys[row, :, into] = theirs.keys[place, :, come_from]
            mine.values[row, :, into] = theirs.values[place, :, come_from]
        self.lengths.append(length)

    def keep(self, tokens: int) -> None:
        """Forget all but the first `tokens` of the only row."""
        self._frame.end -= self.lengths[0] - tokens
        self.lengths[0] = tokens

    def repeated(self, rows: int) -> KeyValues:
        """Return a cache of so many rows, each a copy of the only one."""
        copy = KeyValues(len(self.layers))
        used = slice(self._frame.start, self._frame.end)
        for theirs, mine in zip(copy.layers, self.layers, strict=True):
            keys, values = mine.keys[:, :, used], mine.values[:, :, used]
            theirs.lazy_initialization(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1))
            theirs.keys[:, :, : self._frame.width] = keys
            theirs.values[:, :, : self._frame.width] = values
        copy._frame.end = self._frame.width
        copy._frame.lengths = self.lengths * rows
        return copy

    def leave(self, row: int) -> None:
        """Remove a row; the last one takes its place. The last row to leave takes the storage along."""
        last = self.lengths.pop()
        moved = row < len(self.lengths)
        if not self.lengths:
            self._frame.end = 0
            self.reset_storage()
        elif moved:
            self.lengths[row] = last
            columns = slice(self._frame.end - last, self._frame.end)
            for layer in self.layers:
                for tensor in (layer.keys, layer.values):
                    tensor[row, :, columns] = tensor[len(self.lengths), :, columns]

    def reset_storage(self) -> None:
        """Drop all tensors."""
        for layer in self.layers:
            layer.keys = layer.values = None
            layer.is_initialized = False

    def _lay_out(self, rows: int, end: int, columns: int) -> None:
        """Move what is in use into a new storage of so many rows and columns, where it ends at `end`."""
        used, width, live = slice(self._frame.start, self._frame.end), self._frame.width, len(self.lengths)

        def moved(tensor: torch.Tensor) -> torch.Tensor:
            room = _room(tensor, rows, columns)
            room[:live, :, end - width : end] = tensor[:live, :, used]
            return room

        for layer in self.layers:
            layer.each(moved)
        self._frame.end = end


def _room(like: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    # Zeros, since padding is read too: masked it weighs nothing, but nothing times NaN is NaN.
    return like.new_zeros((rows, like.shape[1], columns, like.shape[3]))
