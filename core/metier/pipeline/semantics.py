"""Semantics at run time: the first part of a value that breaks what a hint declares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from metier_contracts import InputError, Semantic
from pydantic import BaseModel
from typing_extensions import is_typeddict

from metier.pipeline.hints import (
    STANDARD,
    UNIONS,
    Hint,
    arguments_as,
    declared,
    field_hints,
    generic,
    model_hints,
    parted,
    row_of,
)
from metier.pipeline.values import READ, acceptor


@dataclass(frozen=True)
class Breach:
    """A semantic, and the value of which it does not hold."""

    semantic: Semantic
    value: Any

    def error(self, taker: str, giver: str | None) -> InputError:
        """Return the error of the value that `taker` was to take; `giver` names what gave it, in quotes."""
        seen = self.semantic.seen_in(self.value)
        return InputError(
            f"{taker} does not take this value: {self.value!r:.80}",
            expected=f"a value of which {self.semantic!r} holds, as {taker} declares",
            got=f"{self.value!r:.80}" if seen is None else repr(seen),
            blame=f"step {giver}, which gave it" if giver else "the value given to the pipeline",
            hint=f"declare {self.semantic!r} on what gives it as well, to have the two compared when built",
        )


Finder = Callable[[Any], Breach | None]
Members = Callable[[Any], Iterable[Any]]


def finder(takes: Hint) -> Finder | None:
    """Return what finds the first breach in a value of what `takes` declares; None where it declares nothing.

    It reads Python's own containers, rows, and the fields of a record whose type has semantics among its arguments.
    """
    if next(declared(takes), None) is None:
        return None
    inner, semantics = parted(takes)
    inside = _in_union if generic(inner)[0] in UNIONS else _in_parts
    within = cache(lambda: inside(inner))  # made at the first value, since a type may hold itself

    def find(value: Any) -> Breach | None:
        broken = next((one for one in semantics.values() if one.holds(value) is False), None)
        return within()(value) if broken is None else Breach(broken, value)

    return find


def _in_union(union: Hint) -> Finder:
    """Return the finder of a union's breaches: a value breaks it where it breaks each member whose type it has."""
    members = [(acceptor(one), finder(one)) for one in generic(union)[1]]

    def find(value: Any) -> Breach | None:
        found = [one and one(value) for accepts, one in members if accepts(value)]
        return None if None in found else next(iter(found), None)

    return find


def _in_parts(hint: Hint) -> Finder:
    parts = [(members, one) for members, part in _held(hint) if (one := finder(part)) is not None]

    def find(value: Any) -> Breach | None:
        found = (one(member) for members, one in parts for member in members(value))
        return next((breach for breach in found if breach is not None), None)

    return find


def _held(hint: Hint) -> list[tuple[Members, Hint]]:
    """Return what values of a hint hold: how each part is read off a value, and the part's hint."""
    origin, arguments = generic(hint)
    if is_typeddict(origin):
        return [(_item(key), part) for key, part in row_of(hint)[0].items()]
    if not isinstance(origin, type) or not arguments:
        return []
    if origin is tuple and arguments[-1] is not ...:
        return [(_place(place), part) for place, part in enumerate(arguments)]
    if origin.__module__ not in STANDARD:
        fields = model_hints(hint) if issubclass(origin, BaseModel) else field_hints(hint)
        return [(_attribute(name), part) for name, part in fields.items()]
    if not issubclass(origin, Iterable):
        return []
    members: list[tuple[Members, Hint]] = [(_members, part) for part in arguments_as(hint, Iterable)[:1]]
    return [*members, (_values, arguments[1])] if issubclass(origin, Mapping) and arguments[1:] else members


def _members(value: Any) -> Iterable[Any]:
    return value if isinstance(value, READ) else ()


def _values(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else ()


def _item(key: str) -> Members:
    return lambda value: [value[key]] if isinstance(value, dict) and key in value else ()


def _place(place: int) -> Members:
    return lambda value: value[place : place + 1] if isinstance(value, tuple) else ()


def _attribute(name: str) -> Members:
    return lambda value: [getattr(value, name)] if hasattr(value, name) else ()
