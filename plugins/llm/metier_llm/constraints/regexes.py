"""Regular expressions over the bytes of JSON text, with intersection and complement, matched by derivatives.

A derivative is what may still follow once a byte has been read (Brzozowski 1964), so that a state is a regular
expression itself, and the distance from it to the nearest end is its shortest text.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from functools import cached_property, reduce
from itertools import count

from metier_llm.constraints.problems import unsupported

Ranges = tuple[tuple[int, int], ...]
"""Code points, as ascending disjoint ranges with both ends."""

_ALL_BYTES = (1 << 256) - 1
_MOST_STATES = 20_000
# A shortest text is made of letters where it may be, since it is seen where a budget ends.
_PREFERRED = (*range(0x61, 0x7B), *range(0x30, 0x3A), *range(0x20, 0x7F), *range(0x80, 0x100), *range(0x20))
_ESCAPED = {0x22: b'\\"', 0x5C: b"\\\\", 0x0A: b"\\n", 0x0D: b"\\r", 0x09: b"\\t"}
ANY_CHARACTER: Ranges = ((0x09, 0x0A), (0x0D, 0x0D), (0x20, 0xD7FF), (0xE000, 0x10FFFF))


class Regex:
    """A set of byte strings. `nullable`: the empty one is in it; `floor`: none is shorter (None: it has none)."""

    nullable: bool
    floor: int | None
    exact: bool  # the floor is the length of the shortest string

    def __init__(self, key: tuple[object, ...]) -> None:
        self.key = key  # holds numbers alone, whose hashes are the same in every process
        self._hash = hash(key)
        self._after: dict[int, Regex] = {}
        self._by_class: dict[int, Regex] = {}
        self._least: int | None = None
        self._known = False

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Regex) and self._hash == other._hash and self.key == other.key

    def after(self, byte: int) -> Regex:
        """Return what may follow `byte`."""
        found = self._after.get(byte)
        if found is None:
            heirs = next(mask for mask in self.classes if mask >> byte & 1)
            found = self._by_class.get(heirs)
            if found is None:
                found = self._by_class[heirs] = self._derive(byte)
            self._after[byte] = found
        return found

    def _derive(self, byte: int) -> Regex:
        raise NotImplementedError

    @cached_property
    def classes(self) -> tuple[int, ...]:
        """Sets of bytes, as bit masks, that part all bytes into those that lead to the same place."""
        return self._classed()

    def _classed(self) -> tuple[int, ...]:
        raise NotImplementedError

    def least(self) -> int | None:
        """Return the length in bytes of the shortest string, or None where there is none."""
        if self.exact or self.floor is None:
            return self.floor
        if not self._known:
            self._least, self._known = self._seek(), True
        return self._least

    def _seek(self) -> int | None:
        return _distance(self)

    def shortest(self) -> bytes:
        """Return a shortest string."""
        text, state = bytearray(), self
        while not state.nullable:
            left = state.least()
            assert left is not None  # noqa: S101  (callers ask for `least` first)
            byte = next(
                one
                for one in _representatives(state)
                if (state.after(one).least() or 0) == left - 1 and state.after(one).floor is not None
            )
            text.append(byte)
            state = state.after(byte)
        return bytes(text)


def _representatives(regex: Regex) -> Iterator[int]:
    """Yield one byte of each class."""
    for mask in regex.classes:
        yield next(byte for byte in _PREFERRED if mask >> byte & 1)


def _distance(start: Regex) -> int | None:
    """Return the length of the shortest string by a search that the floors guide."""
    order = count()
    queue = [(start.floor or 0, next(order), 0, start)]
    seen: dict[Regex, int] = {start: 0}
    while queue:
        _, _, depth, state = heapq.heappop(queue)
        if state.nullable:
            return depth
        if len(seen) > _MOST_STATES:
            raise unsupported("pattern", "patterns and lengths that are simple enough to be joined")
        for byte in _representatives(state):
            follower = state.after(byte)
            if follower.floor is not None and seen.get(follower, depth + 2) > depth + 1:
                seen[follower] = depth + 1
                heapq.heappush(queue, (depth + 1 + follower.floor, next(order), depth + 1, follower))
    return None


class _Never(Regex):
    nullable, floor, exact = False, None, True

    def _derive(self, byte: int) -> Regex:
        return self

    def _classed(self) -> tuple[int, ...]:
        return (_ALL_BYTES,)


class _Nothing(Regex):
    nullable, floor, exact = True, 0, True

    def _derive(self, byte: int) -> Regex:
        return NEVER

    def _classed(self) -> tuple[int, ...]:
        return (_ALL_BYTES,)


NEVER: Regex = _Never((0,))
NOTHING: Regex = _Nothing((1,))


class Bytes(Regex):
    """One byte out of a set, given as a bit mask."""

    nullable, floor, exact = False, 1, True

    def __init__(self, mask: int) -> None:
        super().__init__((2, mask))
        self.mask = mask

    def _derive(self, byte: int) -> Regex:
        return NOTHING if self.mask >> byte & 1 else NEVER

    def _classed(self) -> tuple[int, ...]:
        return _parts((self.mask,))


class Characters(Regex):
    """One character of a JSON string out of ranges of code points, as it is written: escaped where it must be."""

    nullable, exact = False, True

    def __init__(self, ranges: Ranges) -> None:
        super().__init__((3, ranges))
        self.ranges = ranges
        self.floor = min(_least_bytes(low, high) for low, high in ranges)

    @cached_property
    def written(self) -> Regex:
        """The same as bytes."""
        return either(*(_written(low, high) for low, high in self.ranges))

    def _derive(self, byte: int) -> Regex:
        return self.written.after(byte)

    def _classed(self) -> tuple[int, ...]:
        return self.written.classes


class Sequence(Regex):
    """One after the other."""

    def __init__(self, first: Regex, second: Regex) -> None:
        super().__init__((4, first, second))
        self.first, self.second = first, second
        self.nullable = first.nullable and second.nullable
        self.floor = (first.floor or 0) + (second.floor or 0)
        self.exact = first.exact and second.exact

    def _derive(self, byte: int) -> Regex:
        first = self.first.after(byte)
        followed = self if first is self.first else sequence(first, self.second)
        return either(followed, self.second.after(byte)) if self.first.nullable else followed

    def _classed(self) -> tuple[int, ...]:
        return _parts(self.first.classes + (self.second.classes if self.first.nullable else ()))

    def _seek(self) -> int | None:
        first, second = self.first.least(), self.second.least()
        return None if first is None or second is None else first + second


class Either(Regex):
    """Any of several."""

    def __init__(self, options: tuple[Regex, ...]) -> None:
        super().__init__((5, options))
        self.options = options
        self.nullable = any(option.nullable for option in options)
        self.floor = min(option.floor or 0 for option in options)
        self.exact = all(option.exact for option in options)

    def _derive(self, byte: int) -> Regex:
        return either(*(option.after(byte) for option in self.options))

    def _classed(self) -> tuple[int, ...]:
        return _parts(mask for option in self.options for mask in option.classes)

    def _seek(self) -> int | None:
        return min((least for option in self.options if (least := option.least()) is not None), default=None)


class Repeat(Regex):
    """`item`, `low` to `high` times (None: without end)."""

    def __init__(self, item: Regex, low: int, high: int | None) -> None:
        super().__init__((6, item, low, -1 if high is None else high))
        self.item, self.low, self.high = item, low, high
        self.nullable = low == 0 or item.nullable
        self.floor = low * (item.floor or 0)
        self.exact = item.exact

    def _derive(self, byte: int) -> Regex:
        fewer: Regex = self
        if self.low or self.high is not None:
            fewer = repeat(self.item, max(0, self.low - 1), None if self.high is None else self.high - 1)
        return sequence(self.item.after(byte), fewer)

    def _classed(self) -> tuple[int, ...]:
        return self.item.classes

    def _seek(self) -> int | None:
        least = self.item.least()
        return (None if self.low else 0) if least is None else self.low * least


class Both(Regex):
    """What is in each of several."""

    exact = False

    def __init__(self, parts: tuple[Regex, ...]) -> None:
        super().__init__((7, parts))
        self.parts = parts
        self.nullable = all(part.nullable for part in parts)
        self.floor = max(part.floor or 0 for part in parts)

    def _derive(self, byte: int) -> Regex:
        return both(*(part.after(byte) for part in self.parts))

    def _classed(self) -> tuple[int, ...]:
        return _parts(mask for part in self.parts for mask in part.classes)


class Not(Regex):
    """What is not in `barred`."""

    exact = False

    def __init__(self, barred: Regex) -> None:
        super().__init__((8, barred))
        self.barred = barred
        self.nullable = not barred.nullable
        self.floor = 0 if self.nullable else 1

    def _derive(self, byte: int) -> Regex:
        return without(self.barred.after(byte))

    def _classed(self) -> tuple[int, ...]:
        return self.barred.classes


class Piece(Regex):
    """One or more chunks of a text in a row. `places`: the chunks to read, and how many bytes of each are read."""

    exact = True

    def __init__(self, chunks: tuple[bytes, ...], places: frozenset[tuple[int, int]] | None = None) -> None:
        found = frozenset((index, 0) for index in range(len(chunks))) if places is None else places
        super().__init__((9, chunks, places is None, found))
        self.chunks, self.places = chunks, found
        self.nullable = places is not None and any(read == 0 for _, read in found)
        lefts = [len(chunks[index]) - read for index, read in found if index < len(chunks)]
        self.floor = 0 if self.nullable else min(lefts, default=None)

    def _derive(self, byte: int) -> Regex:
        going = [(index, read) for index, read in self.places if index < len(self.chunks)]
        read_on = [(index, read + 1) for index, read in going if self.chunks[index][read] == byte]
        done = {(index + 1, 0) if read == len(self.chunks[index]) else (index, read) for index, read in read_on}
        return Piece(self.chunks, frozenset(done)) if done else NEVER

    def _classed(self) -> tuple[int, ...]:
        return _parts(1 << self.chunks[index][read] for index, read in self.places if index < len(self.chunks))


def sequence(*parts: Regex) -> Regex:
    """Return the parts one after the other."""
    if any(part is NEVER for part in parts):
        return NEVER
    kept = [part for part in parts if part is not NOTHING]
    return reduce(lambda rest, part: _linked(part, rest), reversed(kept[:-1]), kept[-1]) if kept else NOTHING


def _linked(first: Regex, rest: Regex) -> Regex:
    if isinstance(first, Sequence):  # to the right, so that equal sets look equal
        return Sequence(first.first, _linked(first.second, rest))
    return Sequence(first, rest)


def either(*options: Regex) -> Regex:
    """Return any of the options."""
    flat: dict[Regex, None] = {}
    for option in options:
        for one in option.options if isinstance(option, Either) else (option,):
            if one is not NEVER:
                flat[one] = None
    if not flat:
        return NEVER
    return next(iter(flat)) if len(flat) == 1 else Either(tuple(sorted(flat, key=hash)))


def both(*parts: Regex) -> Regex:
    """Return what is in each of the parts."""
    flat: dict[Regex, None] = {}
    for part in parts:
        for one in part.parts if isinstance(part, Both) else (part,):
            if one is NEVER:
                return NEVER
            if not (isinstance(one, Not) and one.barred is NEVER):
                flat[one] = None
    if len(flat) > 1 and any(not isinstance(one, Not) and one != _ANY_TEXT for one in flat):
        flat.pop(_ANY_TEXT, None)
    if not flat:
        return Not(NEVER)
    return next(iter(flat)) if len(flat) == 1 else Both(tuple(sorted(flat, key=hash)))


def without(barred: Regex) -> Regex:
    """Return everything but `barred`."""
    return barred.barred if isinstance(barred, Not) else Not(barred)


def repeat(item: Regex, low: int, high: int | None) -> Regex:
    """Return `item`, `low` to `high` times."""
    if item is NEVER:
        return NEVER if low else NOTHING
    if high == 0 or item is NOTHING:
        return NOTHING
    return item if low == high == 1 else Repeat(item, low, high)


def characters(ranges: Iterable[tuple[int, int]]) -> Regex:
    """Return one character out of `ranges`, of those that JSON text may hold."""
    kept = intersected(merged(ranges), ANY_CHARACTER)
    return Characters(kept) if kept else NEVER


def string_of(text: str) -> Regex:
    """Return the characters of `text`, as within a JSON string."""
    return sequence(*(characters([(ord(one), ord(one))]) for one in text))


def raw(text: bytes) -> Regex:
    """Return the bytes themselves."""
    return sequence(*(Bytes(1 << byte) for byte in text))


def any_text(low: int = 0, high: int | None = None) -> Regex:
    """Return `low` to `high` characters of any kind."""
    return repeat(characters(ANY_CHARACTER), low, high)


def quoted(content: Regex) -> Regex:
    """Return a JSON string with this content."""
    return sequence(raw(b'"'), content, raw(b'"'))


def merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Return the same code points as ascending disjoint ranges."""
    result: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if result and low <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(high, result[-1][1]))
        else:
            result.append((low, high))
    return tuple(result)


def intersected(some: Ranges, others: Ranges) -> Ranges:
    """Return the code points that are in both."""
    pairs = ((max(a, c), min(b, d)) for a, b in some for c, d in others)
    return merged((low, high) for low, high in pairs if low <= high)


def complement(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Return every other code point."""
    result, start = [], 0
    for low, high in merged(ranges):
        if start < low:
            result.append((start, low - 1))
        start = high + 1
    return tuple([*result, (start, 0x10FFFF)] if start <= 0x10FFFF else result)


def texts(regex: Regex, most: int) -> list[bytes] | None:
    """Return every string of the set, or None where there are more than `most`."""
    found: list[bytes] = []
    stack = [(b"", regex)]
    while stack:
        text, state = stack.pop()
        if state.nullable:
            found.append(text)
        for mask in state.classes:
            heirs = [byte for byte in range(256) if mask >> byte & 1]
            if state.after(heirs[0]).least() is not None:
                stack.extend((text + bytes([byte]), state.after(byte)) for byte in heirs)
        if len(found) + len(stack) > most:
            return None
    return sorted(found)


def longest_of_shortest(regex: Regex, number: int) -> int:
    """Return the length of the longest among the `number` shortest strings, or of all where there are fewer."""
    order = count()
    queue = [(regex.least() or 0, next(order), 0, regex, False)]
    longest = 0
    while queue and number > 0:
        length, _, depth, state, ended = heapq.heappop(queue)
        if ended:
            longest, number = length, number - 1
            continue
        if state.nullable:
            heapq.heappush(queue, (depth, next(order), depth, state, True))
        for mask in state.classes:
            byte = next(byte for byte in range(256) if mask >> byte & 1)
            follower = state.after(byte)
            if (least := follower.least()) is not None:
                for _ in range(min(mask.bit_count(), number)):
                    heapq.heappush(queue, (depth + 1 + least, next(order), depth + 1, follower, False))
    return longest


def _parts(masks: Iterable[int]) -> tuple[int, ...]:
    parts = [_ALL_BYTES]
    for mask in set(masks):
        parts = [part for whole in parts for part in (whole & mask, whole & ~mask) if part]
    return tuple(sorted(parts))


def _least_bytes(low: int, high: int) -> int:
    if any(code not in _ESCAPED for code in range(low, min(high, 0x7F) + 1)):
        return 1
    return 2 if low < 0x80 else len(chr(low).encode())


def _written(low: int, high: int) -> Regex:
    """Return the characters of a range as bytes: what JSON must escape, escaped, and the rest as UTF-8."""
    options: list[Regex] = []
    start = low
    for code in sorted(code for code in _ESCAPED if low <= code <= high):
        options += [*_utf8(start, code - 1), raw(_ESCAPED[code])]
        start = code + 1
    return either(*options, *_utf8(start, high))


def _utf8(low: int, high: int) -> Iterator[Regex]:
    for first, last in ((0x20, 0x7F), (0x80, 0x7FF), (0x800, 0xFFFF), (0x10000, 0x10FFFF)):
        if (start := max(low, first)) <= (end := min(high, last)):
            yield _between(chr(start).encode("utf-8", "surrogatepass"), chr(end).encode("utf-8", "surrogatepass"))


def _between(low: bytes, high: bytes) -> Regex:
    """Return the byte strings from `low` to `high`, whose lengths are equal and whose later bytes continue UTF-8."""
    if len(low) == 1:
        return _span(low[0], high[0])
    if low[0] == high[0]:
        return sequence(_span(low[0], low[0]), _between(low[1:], high[1:]))
    rest = len(low) - 1
    head = sequence(_span(low[0], low[0]), _between(low[1:], b"\xbf" * rest))
    tail = sequence(_span(high[0], high[0]), _between(b"\x80" * rest, high[1:]))
    middle = sequence(_span(low[0] + 1, high[0] - 1), *[_span(0x80, 0xBF)] * rest)
    return either(head, middle, tail)


def _span(low: int, high: int) -> Regex:
    return Bytes(sum(1 << byte for byte in range(low, high + 1))) if low <= high else NEVER


_ANY_TEXT = Repeat(Characters(ANY_CHARACTER), 0, None)
