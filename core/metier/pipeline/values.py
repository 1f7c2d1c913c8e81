"""Values at run time: whether one is what a hint describes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, Literal, NewType

from typing_extensions import is_typeddict

from metier.pipeline.hints import PROMOTED, STANDARD, UNIONS, Hint, arguments_as, fits, generic, plain, row_of

Test = Callable[[Any], bool]

READ = (list, tuple, set, frozenset, dict, deque)


def acceptor(takes: Hint) -> Test:
    """Return the test of whether a value is one that `takes` describes.

    It reads Python's own containers whole, and nothing else: an iterator would be used up, a lazy sequence loaded. The
    parameters of other generic classes are not kept in values; those, and what only type checkers can tell, pass.
    Semantics are not its matter: `metier.pipeline.semantics.finder` is for those.
    """
    takes = plain(takes)
    origin, arguments = generic(takes)
    if origin in UNIONS:
        tests = [acceptor(one) for one in arguments]
        return lambda value: any(test(value) for test in tests)
    if origin is Literal:
        return lambda value: any(isinstance(value, type(member)) and value == member for member in arguments)
    if isinstance(takes, NewType):
        return acceptor(takes.__supertype__)
    if not isinstance(origin, type) or origin in (Any, object):
        return _anything
    if is_typeddict(origin):
        return _row(takes)
    if origin is type:
        return lambda value: isinstance(value, type) and all(fits(value, one).types for one in arguments)
    kind = _kind((origin, *PROMOTED.get(origin, ())))
    if not arguments or origin.__module__ not in STANDARD or not issubclass(origin, Iterable):
        return kind
    members = _members(takes, origin, arguments)
    return lambda value: kind(value) and members(value)


def _anything(_: object) -> bool:
    return True


def _kind(kinds: tuple[Any, ...]) -> Test:
    try:
        isinstance(None, kinds)
    except TypeError:  # a protocol that is not @runtime_checkable is for type checkers
        return _anything
    return lambda value: isinstance(value, kinds)


def _members(takes: Hint, origin: type, arguments: tuple[Hint, ...]) -> Test:
    """Return the test of a container's members; theirs are made at the first of them, since a type may hold itself."""
    if origin is tuple and arguments[-1] is not ...:
        tests = cache(lambda: [acceptor(argument) for argument in arguments])
        return lambda value: (
            len(value) == len(arguments) and all(test(member) for test, member in zip(tests(), value, strict=True))
        )
    by_class = cache(lambda kind: fits(kind, takes).types)
    item = cache(lambda: acceptor(arguments_as(takes, Iterable)[0]))
    held = cache(lambda: acceptor(arguments[1]) if issubclass(origin, Mapping) and arguments[1:] else _anything)

    def test(value: Any) -> bool:
        if not isinstance(value, READ):
            return by_class(value.__class__)
        return all(map(item(), value)) and (not isinstance(value, dict) or all(map(held(), value.values())))

    return test


def _row(takes: Hint) -> Test:
    keys, needed = row_of(takes)
    tests = cache(lambda: {key: acceptor(hint) for key, hint in keys.items()})

    def test(value: Any) -> bool:
        return (
            isinstance(value, dict)
            and needed <= value.keys()
            and all(accepts(value[key]) for key, accepts in tests().items() if key in value)
        )

    return test
