r"""From the regular expressions of `pattern` to ours.

A pattern is read as Python's `re.search` reads it, which is what checks the text in the end. Where it has to match,
`\d`, `\w` and `\s` give the ASCII characters alone; where it must not match, all that Python takes them for.
"""

from __future__ import annotations

import re
from functools import lru_cache

from metier_contracts import InputError, UnsupportedError

from metier_llm.constraints.problems import unsupported
from metier_llm.constraints.regexes import (
    NOTHING,
    Ranges,
    Regex,
    any_text,
    both,
    characters,
    complement,
    either,
    intersected,
    merged,
    repeat,
    sequence,
    without,
)

_ASCII: dict[str, Ranges] = {
    "d": ((0x30, 0x39),),
    "w": ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)),
    "s": ((0x09, 0x0D), (0x20, 0x20)),
}
# Letters and pictures outside ASCII that are neither digits nor white space: Latin, Greek, Cyrillic, Chinese, Korean.
_LETTERS: Ranges = ((0xC0, 0x24F), (0x370, 0x373), (0x388, 0x3FF), (0x400, 0x481), (0x4E00, 0x9FA5), (0xAC00, 0xD7A3))
_OUTSIDE_ASCII = (0x80, 0x10FFFF)
_CONTROLS = {"n": 0x0A, "r": 0x0D, "t": 0x09, "f": 0x0C, "v": 0x0B, "0": 0x00, "a": 0x07}
_HEX_DIGITS = {"x": 2, "u": 4, "U": 8}


@lru_cache(maxsize=512)
def matching(pattern: str) -> Regex:
    """Return texts in which `re.search` finds `pattern`: all of them, but for characters outside ASCII in classes."""
    return _checked(pattern, wide=False)


@lru_cache(maxsize=512)
def not_matching(pattern: str) -> Regex:
    """Return the texts in which `re.search` does not find `pattern`."""
    return both(without(_checked(pattern, wide=True)), any_text())


def _checked(pattern: str, *, wide: bool) -> Regex:
    try:
        re.compile(pattern)
    except re.error as error:
        raise InputError(
            "A pattern of the JSON Schema is no regular expression.",
            expected="a regular expression that Python's `re` takes",
            got=f"{pattern!r}: {error}",
            blame="the request, in its JSON Schema",
        ) from error
    return _Reader(pattern, wide).whole()


def _class(kind: str, *, wide: bool) -> Ranges:
    """Return a superset (`wide`) or a subset of what Python takes a class or its opposite for."""
    inside = _ASCII[kind.lower()]
    if kind.islower():
        return merged([*inside, _OUTSIDE_ASCII]) if wide else inside
    if wide:
        return complement(inside)
    return intersected(complement(inside), merged([(0x00, 0x7F), *(_LETTERS if kind != "W" else ())]))


class _Reader:
    """Reads one pattern, from left to right."""

    def __init__(self, pattern: str, wide: bool) -> None:
        self.pattern = pattern
        self.wide = wide
        self.at = 0

    def whole(self) -> Regex:
        found = self.alternatives(outermost=True)
        if self.at < len(self.pattern):
            raise self.refusal("a pattern")
        return found

    def refusal(self, what: str) -> UnsupportedError:
        return unsupported("pattern", f"{what} without back references, word boundaries and flags", repr(self.pattern))

    def peek(self, text: str) -> bool:
        return self.pattern.startswith(text, self.at)

    def take(self, text: str) -> bool:
        if self.peek(text):
            self.at += len(text)
            return True
        return False

    def alternatives(self, *, outermost: bool = False) -> Regex:
        options = [self.searched() if outermost else self.run()]
        while self.take("|"):
            options.append(self.searched() if outermost else self.run())
        return either(*options)

    def searched(self) -> Regex:
        """Read an outermost alternative: it may stand anywhere unless it is anchored."""
        before = NOTHING if self.take("^") or self.take("\\A") else any_text()
        found = self.run(outermost=True)
        return sequence(before, found) if before is not NOTHING else found

    def run(self, *, outermost: bool = False) -> Regex:
        """Read up to the next `|` or `)`; what is outermost reaches to the text's end."""
        parts: list[Regex] = []
        while self.at < len(self.pattern) and not self.peek("|") and not self.peek(")"):
            if self.peek("(?=") or self.peek("(?!"):
                if not outermost:
                    raise self.refusal("groups without lookaheads")
                seen = self.lookahead()
                return sequence(*parts, both(seen, self.run(outermost=True)))
            if outermost and (self.take("$") or self.take("\\Z")):
                return sequence(*parts, self.end())
            parts.append(self.repeated(self.atom()))
        return sequence(*parts, any_text() if outermost else NOTHING)

    def end(self) -> Regex:
        if self.at < len(self.pattern) and not self.peek("|"):
            raise self.refusal("nothing behind `$`")
        # `$` also finds the place before a last line break.
        return repeat(characters([(0x0A, 0x0A)]), 0, 1) if self.wide else NOTHING

    def lookahead(self) -> Regex:
        wanted = self.peek("(?=")
        self.at += 3
        # What must not follow is read as widely as what must not match.
        inner = self if wanted else _Reader(self.pattern, not self.wide)
        inner.at = self.at
        options = [inner.run_in_lookahead()]
        while inner.take("|"):
            options.append(inner.run_in_lookahead())
        if not inner.take(")"):
            raise self.refusal("simple lookaheads")
        self.at = inner.at
        found = either(*options)
        return found if wanted else both(without(found), any_text())

    def run_in_lookahead(self) -> Regex:
        parts: list[Regex] = []
        while not self.peek("|") and not self.peek(")"):
            if self.take("$"):
                return sequence(*parts, repeat(characters([(0x0A, 0x0A)]), 0, 1) if self.wide else NOTHING)
            parts.append(self.repeated(self.atom()))
        return sequence(*parts, any_text())

    def repeated(self, item: Regex) -> Regex:
        times: tuple[int, int | None]
        if self.take("*"):
            times = (0, None)
        elif self.take("+"):
            times = (1, None)
        elif self.take("?"):
            times = (0, 1)
        elif found := re.compile(r"\{(\d*)(,?)(\d*)\}").match(self.pattern, self.at):
            first, comma, last = found.groups()
            if not first and not last:
                return item
            self.at = found.end()
            times = (int(first or 0), (int(last) if last else None) if comma else int(first))
        else:
            return item
        if self.take("+"):
            raise self.refusal("quantifiers that give back")
        self.take("?")
        return repeat(item, *times)

    def atom(self) -> Regex:
        if self.take("("):
            return self.group()
        if self.peek("["):
            return characters(self.group_of_characters())
        if self.take("."):
            return characters(complement([(0x0A, 0x0A)]))
        if self.peek("^") or self.peek("$"):
            raise self.refusal("anchors at both ends alone")
        if self.peek("\\"):
            return characters(self.escape())
        self.at += 1
        code = ord(self.pattern[self.at - 1])
        return characters([(code, code)])

    def group(self) -> Regex:
        if self.take("?"):
            name = re.compile(r":|P<\w+>").match(self.pattern, self.at)
            if name is None:
                raise self.refusal("plain groups")
            self.at = name.end()
        found = self.alternatives()
        if not self.take(")"):
            raise self.refusal("closed groups")
        return found

    def escape(self, *, barred: bool = False) -> Ranges:
        self.at += 2
        kind = self.pattern[self.at - 1]
        if kind.lower() in _ASCII:
            return _class(kind, wide=self.wide is not barred)
        if kind in _HEX_DIGITS:
            digits = self.pattern[self.at : self.at + _HEX_DIGITS[kind]]
            self.at += len(digits)
            code = int(digits, 16)
        elif kind in _CONTROLS:
            code = _CONTROLS[kind]
        elif kind.isalnum():
            raise self.refusal("escapes of characters and classes")
        else:
            code = ord(kind)
        return ((code, code),)

    def group_of_characters(self) -> Ranges:
        self.at += 1
        barred = self.take("^")
        found: list[tuple[int, int]] = []
        first = True
        while first or not self.peek("]"):
            first = False
            low = self.member(barred)
            if len(low) == 1 and low[0][0] == low[0][1] and self.peek("-") and not self.peek("-]"):
                self.at += 1
                high = self.member(barred)
                found.append((low[0][0], high[0][1]))
            else:
                found += low
        self.at += 1
        return complement(found) if barred else merged(found)

    def member(self, barred: bool) -> Ranges:
        if self.peek("\\"):
            if self.peek("\\b"):
                raise self.refusal("classes of characters")
            return self.escape(barred=barred)
        self.at += 1
        code = ord(self.pattern[self.at - 1])
        return ((code, code),)
