"""Grammars and regular expressions in the notation of llguidance."""

from __future__ import annotations

import json
import re
from math import inf

from metier_llm.constraints.nodes import Distinct, Fixed, InOrder, Lexeme, Many, Named, Node, OneOf
from metier_llm.constraints.regexes import (
    NEVER,
    NOTHING,
    Both,
    Bytes,
    Characters,
    Either,
    Not,
    Piece,
    Regex,
    Repeat,
    Sequence,
)

# A fixed text is cut where JSON's own words end, since a lexer takes the longest word that it can.
_WORDS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}:,]|</?tool_call>|[^"\[\]{}:,<]+|<', re.DOTALL)
_MOST_TIMES = 1000  # more are not counted here, only on the track
_ESCAPES = {0x22: r"\x5C\x22", 0x5C: r"\x5C\x5C", 0x0A: r"\x5Cn", 0x0D: r"\x5Cr", 0x09: r"\x5Ct"}


def notation(start: Node) -> str:
    """Return the grammar whose texts are those of `start`."""
    return _Writer(start).text()


class _Writer:
    """Writes the rules that a node leads to."""

    def __init__(self, start: Node) -> None:
        self._terminals: dict[str, str] = {}
        self._waiting: list[Named] = []
        self._names: dict[Named, str] = {}
        self._rules = [f"start: {self._body(start)}"]

    def text(self) -> str:
        while self._waiting:
            named = self._waiting.pop()
            self._rules.append(f"{self._names[named]}: {self._body(named.body)}")
        terminals = [f"{name}: {body}" for body, name in self._terminals.items()]
        return "\n".join([*self._rules, *terminals]) + "\n"

    def _body(self, node: Node) -> str:
        if isinstance(node, Named):
            if node not in self._names:
                self._names[node] = f"r{len(self._names)}"
                self._waiting.append(node)
            return self._names[node]
        if isinstance(node, Fixed):
            return " ".join(self._terminal(f"/{_literal(word)}/") for word in _WORDS.findall(node.text))
        if isinstance(node, Lexeme):
            return self._terminal(expression(node.regex))
        if isinstance(node, InOrder):
            return " ".join(self._body(part) for part in node.parts) or '""'
        if isinstance(node, OneOf):
            return f"({' | '.join(self._body(option) for option in node.options if option.cost < inf)})"
        if isinstance(node, Many):
            return self._many(self._body(node.item), node.low, node.high) if node.item.cost < inf else '""'
        if isinstance(node, Distinct):
            return self._distinct(node)
        raise TypeError(type(node).__name__)

    def _distinct(self, node: Distinct) -> str:
        """Write items without their being distinct, which a grammar cannot say."""
        if node.item.cost == inf or node.high == 0:
            return '""'
        item = self._body(node.item)
        more = self._many(f"{self._body(node.comma)} {item}", max(0, node.low - 1), node.high - 1)
        return f"({item} {more})" + ("" if node.low else "?")

    def _many(self, item: str, low: int, high: int | None) -> str:
        if high == 0:
            return '""'
        return f"({item}){_times(low, high)}"

    def _terminal(self, body: str) -> str:
        return self._terminals.setdefault(body, f"T{len(self._terminals)}")


def _times(low: int, high: int | None) -> str:
    if (low, high) == (0, 1):
        return "?"
    last = "" if high is None or high > _MOST_TIMES else high
    return f"{{{min(low, _MOST_TIMES)},{last}}}"


def _plain(regex: Regex) -> bool:
    """Return whether there is neither intersection nor complement within."""
    return not isinstance(regex, Both | Not | Piece) and all(_plain(part) for part in _parts(regex))


def _parts(regex: Regex) -> tuple[Regex, ...]:
    if isinstance(regex, Sequence):
        return regex.first, regex.second
    if isinstance(regex, Either):
        return regex.options
    return (regex.item,) if isinstance(regex, Repeat) else ()


def expression(regex: Regex) -> str:
    """Return a terminal's body."""
    if _plain(regex):
        return f"/{_pattern(regex)}/"
    if isinstance(regex, Sequence):
        return f"({expression(regex.first)} {expression(regex.second)})"
    if isinstance(regex, Either):
        return f"({' | '.join(expression(option) for option in regex.options)})"
    if isinstance(regex, Piece):
        chunks = json.dumps({"substring_chunks": [chunk.decode() for chunk in regex.chunks]}, ensure_ascii=False)
        return f"(%regex {chunks} & /(?s:.+)/)"
    if isinstance(regex, Both):
        positive = sorted(regex.parts, key=lambda part: isinstance(part, Not))
        return f"({' & '.join(expression(part) for part in positive)})"
    if isinstance(regex, Not):
        return f"~({expression(regex.barred)})"
    if isinstance(regex, Repeat):
        return f"({expression(regex.item)}){_times(regex.low, regex.high)}"
    raise TypeError(type(regex).__name__)


def _pattern(regex: Regex) -> str:
    if regex is NOTHING or regex is NEVER:
        return "" if regex is NOTHING else r"[^\x00-\x{10FFFF}]"
    if isinstance(regex, Bytes):
        return _class([(byte, byte) for byte in range(256) if regex.mask >> byte & 1])
    if isinstance(regex, Characters):
        return _character(regex)
    if isinstance(regex, Sequence):
        return _pattern(regex.first) + _pattern(regex.second)
    if isinstance(regex, Either):
        return f"(?:{'|'.join(_pattern(option) for option in regex.options)})"
    if isinstance(regex, Repeat):
        return f"(?:{_pattern(regex.item)}){_times(regex.low, regex.high)}"
    raise TypeError(type(regex).__name__)


def _character(regex: Characters) -> str:
    plain: list[tuple[int, int]] = []
    escaped: list[str] = []
    for low, high in regex.ranges:
        start = low
        for code in sorted(code for code in _ESCAPES if low <= code <= high):
            plain.append((start, code - 1))
            escaped.append(_ESCAPES[code])
            start = code + 1
        plain.append((start, high))
    kept = [(low, high) for low, high in plain if low <= high]
    options = ([_class(kept)] if kept else []) + escaped
    return options[0] if len(options) == 1 else f"(?:{'|'.join(options)})"


def _class(ranges: list[tuple[int, int]]) -> str:
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return _code(ranges[0][0])
    return f"[{''.join(_code(low) if low == high else f'{_code(low)}-{_code(high)}' for low, high in ranges)}]"


def _code(code: int) -> str:
    return chr(code) if code < 0x80 and chr(code).isalnum() else f"\\x{{{code:X}}}"


def _literal(text: bytes) -> str:
    return "".join(_code(ord(one)) for one in text.decode())
