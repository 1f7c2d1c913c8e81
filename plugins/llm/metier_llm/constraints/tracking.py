"""Where a text stands in its grammar, and how many tokens suffice to end it from there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from math import inf

from metier_llm.constraints.nodes import Distinct, Fixed, InOrder, Lexeme, Many, Named, Node, OneOf
from metier_llm.constraints.numbers import spellings
from metier_llm.constraints.regexes import Regex, both, raw, without


class Link:
    """What is still to be written: a node, then the rest. `cost`: of both.

    `state`: of a fixed text the place in it; of a lexeme what may follow; of repeated items how many there are.
    `seen`: of distinct items the keys so far. `begun`: of a key its text so far.
    """

    __slots__ = ("begun", "cost", "node", "rest", "seen", "state")

    def __init__(
        self,
        node: Node,
        state: int | Regex,
        rest: Link | None,
        seen: tuple[bytes, ...] = (),
        begun: bytes | None = None,
    ) -> None:
        self.node, self.state, self.rest, self.seen, self.begun = node, state, rest, seen, begun
        self.cost: float = _own_cost(node, state) + (rest.cost if rest else 0)

    def key(self) -> tuple[object, ...]:
        """Return what tells links apart that stand before the same rest."""
        return self.node, self.state, self.begun, id(self.rest)


def _own_cost(node: Node, state: int | Regex) -> float:
    if isinstance(state, Regex):
        least = state.least()
        return inf if least is None else least
    if isinstance(node, Fixed):
        return node.costs[state]
    return node.owed(state) if isinstance(node, Many | Distinct) else node.cost


State = tuple[Link, ...]
"""Every way to go on. `None` among the ways, the text's end, is kept apart."""


class Track:
    """The ways in which a text may go on; immutable. `complete`: the text may end here."""

    __slots__ = ("complete", "ways")

    def __init__(self, ways: State, complete: bool) -> None:
        self.ways, self.complete = ways, complete

    @property
    def cost(self) -> float:
        """The tokens that suffice to end the text."""
        return 0 if self.complete else min((way.cost for way in self.ways), default=inf)

    def after(self, data: bytes) -> Track | None:
        """Return where the text stands once `data` has been written, or None where it may not be."""
        track = self
        if len(self.ways) == 1 and isinstance(state := self.ways[0].state, Regex) and self.ways[0].begun is None:
            # Most of a text is within one string.
            way, read = self.ways[0], 0
            while read < len(data) - 1 and not (follower := state.after(data[read])).nullable:
                if follower.floor is None:
                    return None
                state, read = follower, read + 1
            track, data = Track((Link(way.node, state, way.rest),), False), data[read:]
        for byte in data:
            track = _gathered(found for way in track.ways for found in _read(way, byte))
            if not track.ways and not track.complete:
                return None
        return track

    def cheapest(self) -> Link:
        """Return the way that ends soonest, of those on which something is to be written next."""
        ways = (way for way in self.ways if not (isinstance(way.state, Regex) and way.state.nullable))
        return min(ways, key=lambda way: way.cost)


def begin(start: Node) -> Track:
    """Return where a text stands before its first byte."""
    return _gathered(_opened(start, None))


def _gathered(ways: Iterator[Link | None]) -> Track:
    found: dict[object, Link] = {}
    complete = False
    for way in ways:
        if way is None:
            complete = True
        elif way.cost < inf:
            found[way.key()] = way
    return Track(tuple(found.values()), complete)


def _read(way: Link, byte: int) -> Iterator[Link | None]:
    """Yield the ways to go on once `byte` has been written."""
    node, state, rest = way.node, way.state, way.rest
    if isinstance(node, Fixed) and isinstance(state, int):
        if node.text[state] == byte:
            if state + 1 == len(node.text):
                yield from _followed(rest)
            else:
                yield Link(node, state + 1, rest)
    elif isinstance(state, Regex):
        follower = state.after(byte)
        begun = None if way.begun is None else way.begun + bytes([byte])
        yield Link(node, follower, rest, begun=begun)
        if follower.nullable:
            yield from _followed(rest if begun is None else _remembered(node, begun, rest))


def _remembered(key: Node, text: bytes, rest: Link | None) -> Link | None:
    """Return the rest in which the items that have this key know its text."""
    if rest is None:
        return None
    if isinstance(rest.node, Distinct) and rest.node.key is key:
        return Link(rest.node, rest.state, rest.rest, (*rest.seen, text))
    return Link(rest.node, rest.state, _remembered(key, text, rest.rest), rest.seen, rest.begun)


def _followed(rest: Link | None) -> Iterator[Link | None]:
    if rest is None:
        yield None
    else:
        yield from _opened(rest.node, rest.rest, rest.state, rest.seen)


def _opened(
    node: Node, rest: Link | None, state: int | Regex = 0, seen: tuple[bytes, ...] = ()
) -> Iterator[Link | None]:
    """Yield the ways to begin a node, each at a fixed text or a lexeme."""
    if node.cost == inf:
        return
    if isinstance(node, Named):
        yield from _opened(node.body, rest)
    elif isinstance(node, Fixed):
        yield Link(node, 0, rest)
    elif isinstance(node, Lexeme):
        yield from _lexeme(node, rest)
    elif isinstance(node, OneOf):
        for option in node.options:
            yield from _opened(option, rest)
    elif isinstance(node, InOrder):
        for part in reversed(node.parts):
            rest = Link(part, 0, rest)
        yield from _followed(rest)
    elif isinstance(node, Many | Distinct) and isinstance(state, int):
        if state >= node.low:
            yield from _followed(rest)
        if node.high is None or state < node.high:
            again = Link(node, state + 1, rest, seen)
            if isinstance(node, Distinct) and state:
                yield from _opened(node.comma, Link(node.item, 0, again))
            else:
                yield from _opened(node.item, again)


def _lexeme(node: Lexeme, rest: Link | None) -> Iterator[Link | None]:
    outer = rest
    while outer is not None and not (isinstance(outer.node, Distinct) and outer.node.key is node):
        outer = outer.rest
    regex, begun = node.regex, None
    if outer is not None:
        regex, begun = both(regex, *(without(_same(text)) for text in outer.seen)), b""
    yield Link(node, regex, rest, begun=begun)
    if regex.nullable:
        yield from _followed(rest)


def _same(text: bytes) -> Regex:
    """Return every spelling of the value that a text says."""
    return raw(text) if text.startswith(b'"') else spellings(Fraction(json.dumps(json.loads(text))))
