"""Type hints: what they are made of, whether one flows into another, and how they are written."""

from __future__ import annotations

import types
from collections import Counter
from collections.abc import Callable, ItemsView, Mapping
from typing import (
    Annotated,
    Any,
    ForwardRef,
    Literal,
    Never,
    NewType,
    NoReturn,
    NotRequired,
    Required,
    TypeVar,
    Union,
    get_args,
    get_origin,
)

import typing_extensions
from pydantic import BaseModel
from typing_extensions import ReadOnly, get_type_hints, is_typeddict

Hint = Any

UNIONS: tuple[Any, ...] = (Union, types.UnionType)
PROMOTED: dict[Any, tuple[Any, ...]] = {float: (int,), complex: (int, float)}
ITEMS: dict[Any, Any] = {str: str, bytes: int, bytearray: int, memoryview: int, range: int}
STANDARD = ("builtins", "collections", "collections.abc")
_CALLABLE: Any = Callable
_WRAPPERS: tuple[Any, ...] = (Annotated, Required, NotRequired, ReadOnly)


def origin_of(hint: Hint) -> Any:
    """Return `typing.get_origin`, typed as what it is for us: anything."""
    return get_origin(hint)


def plain(hint: Hint) -> Hint:
    """Return a hint without `Annotated` or the like, what an alias stands for, and what a type variable is bound to."""
    if hint is None:
        return type(None)
    origin = origin_of(hint)
    if origin in _WRAPPERS:
        return plain(get_args(hint)[0])
    if isinstance(hint, TypeVar | ForwardRef):
        return plain(getattr(hint, "__bound__", None) or Any)
    alias = origin or hint
    if type(alias).__name__ == "TypeAliasType":  # typing's from Python 3.12 on, or that of typing_extensions
        return plain(substituted(alias.__value__, dict(zip(alias.__type_params__, get_args(hint), strict=False))))
    return hint


def generic(hint: Hint) -> tuple[Hint, tuple[Hint, ...]]:
    """Return (origin, arguments) of a hint; a generic class left bare has its parameters' defaults."""
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        metadata = hint.__pydantic_generic_metadata__
        if metadata["origin"] is not None:
            return metadata["origin"], metadata["args"]
    origin = origin_of(hint)
    return (hint, tuple(map(_default, _parameters(hint)))) if origin is None else (origin, get_args(hint))


def _parameters(hint: Hint) -> tuple[Any, ...]:
    metadata: Any = getattr(hint, "__pydantic_generic_metadata__", None)
    return tuple(metadata["parameters"] if metadata else getattr(hint, "__parameters__", ()))


def _default(parameter: Any) -> Hint:
    default = getattr(parameter, "__default__", typing_extensions.NoDefault)
    return Any if default is typing_extensions.NoDefault else default


def substituted(hint: Hint, known: Mapping[Any, Hint]) -> Hint:
    """Return a hint with what is known of its type variables in their places."""
    if isinstance(hint, TypeVar):
        return known.get(hint, hint)
    free = () if generic(hint)[0] is hint else _parameters(hint)
    return hint[tuple(known.get(parameter, parameter) for parameter in free)] if free else hint


def field_hints(hint: Hint, bearer: Any = None) -> dict[str, Hint]:
    """Return the hints of the fields of a class, generic or not; `bearer` is what else states them: its `__init__`."""
    origin, arguments = generic(hint)
    known = dict(zip(_parameters(origin), arguments, strict=False))
    stated = get_type_hints(bearer or origin, include_extras=True)
    return {name: substituted(field, known) for name, field in stated.items()}


def row_of(hint: Hint) -> tuple[dict[str, Hint], frozenset[str]]:
    """Return the hints of a TypedDict's keys, and the keys that it needs."""
    required, keys = generic(hint)[0].__required_keys__, field_hints(hint)
    # Python does not see NotRequired in an annotation that is a string, as all are under `from __future__`.
    marks = {key: origin_of(field) for key, field in keys.items()}
    needs = (key for key, mark in marks.items() if mark is Required or (key in required and mark is not NotRequired))
    return {key: plain(field) for key, field in keys.items()}, frozenset(needs)


def arguments_as(hint: Hint, target: type) -> tuple[Hint, ...]:
    """Return the arguments of `target` in a hint of one of its subclasses; () where they cannot be told.

    `arguments_as(Classify[Desk], Request)` is `(Classification[Desk],)`.
    """
    origin, arguments = generic(hint)
    if origin is target:
        return arguments
    if getattr(target, "_is_protocol", False) and target not in origin.__mro__:
        return ()
    if origin.__module__ in STANDARD:  # their parameters are, in order, those of what they implement
        return _items(origin, arguments)
    known = dict(zip(_parameters(origin), arguments, strict=False))
    for base in vars(origin).get("__orig_bases__", origin.__bases__):
        if _is_subclass(generic(base)[0], target):
            return arguments_as(substituted(base, known), target)
    return ()


def _items(origin: Any, arguments: tuple[Hint, ...]) -> tuple[Hint, ...]:
    if origin in ITEMS:
        return (ITEMS[origin],)
    if origin is Counter and arguments:
        return (*arguments, int)
    return (types.GenericAlias(tuple, arguments),) if origin is ItemsView and arguments else arguments


def fits(gives: Hint, takes: Hint) -> bool:
    """Tell whether every value of `gives` is one of `takes`, as type checkers do, with mutable containers covariant.

    `Any` and type variables fit everything, and so does what only type checkers can tell.
    """
    try:
        return _fits(gives, takes)
    except RecursionError:  # two types that hold themselves, and nothing in the one that is not in the other
        return True


def _fits(gives: Hint, takes: Hint) -> bool:
    gives, takes = plain(gives), plain(takes)
    if gives == takes or takes in (Any, object) or gives in (Any, Never, NoReturn):
        return True
    if alternatives := _alternatives(gives):
        return all(_fits(one, takes) for one in alternatives)
    if origin_of(takes) in UNIONS:
        return any(_fits(gives, one) for one in get_args(takes))
    if origin_of(takes) is Literal:
        return gives in _literals(takes)
    if origin_of(gives) is Literal:
        return _fits(type(get_args(gives)[0]), takes)
    if isinstance(gives, NewType):
        return _fits(gives.__supertype__, takes)
    if takes in (Never, NoReturn) or isinstance(takes, NewType):
        return False
    return _fits_class(gives, takes)


def _alternatives(hint: Hint) -> list[Hint]:
    """Return the hints of which a union, or a Literal of several members, is one."""
    if origin_of(hint) in UNIONS:
        return list(get_args(hint))
    return _literals(hint) if origin_of(hint) is Literal and len(get_args(hint)) > 1 else []


def _literals(hint: Hint) -> list[Hint]:
    return [type(None) if member is None else Literal[member] for member in get_args(hint)]


def _fits_class(gives: Hint, takes: Hint) -> bool:
    (given, _), (taken, wanted) = generic(gives), generic(takes)
    if not isinstance(given, type) or not isinstance(taken, type):
        return True
    if is_typeddict(taken):
        return is_typeddict(given) and _fits_row(gives, takes)
    if is_typeddict(given):
        return _fits(Mapping[str, object], takes)
    if any(_fits(gives, narrower) for narrower in PROMOTED.get(taken, ())):
        return True
    if not _is_subclass(given, taken) or not wanted:
        return _is_subclass(given, taken)
    if taken is _CALLABLE:
        return given is not _CALLABLE or _fits_call(get_args(gives), wanted)
    if issubclass(given, tuple):
        return _fits_tuple(_tuple_members(gives), taken, wanted)
    return _fit_arguments(arguments_as(gives, taken), wanted, _parameters(taken))


def _is_subclass(given: Any, taken: Any) -> bool:
    try:
        return issubclass(given, taken)
    except TypeError:  # a protocol with fields, or one that is not @runtime_checkable, is for type checkers
        return True


def _fits_row(gives: Hint, takes: Hint) -> bool:
    (has, given), (wants, needed) = row_of(gives), row_of(takes)
    return needed <= given and all(key in has and _fits(has[key], hint) for key, hint in wants.items())


def _fits_call(given: tuple[Any, ...], wanted: tuple[Any, ...]) -> bool:
    if not given:
        return True
    (takes, gives), (passed, expected) = given, wanted
    if isinstance(takes, list) and isinstance(passed, list):
        return len(takes) == len(passed) and all(map(_fits, passed, takes)) and _fits(gives, expected)
    return _fits(gives, expected)


def _tuple_members(hint: Hint) -> tuple[Hint, ...]:
    origin = generic(hint)[0]
    if not hasattr(origin, "_fields"):
        return arguments_as(hint, tuple)
    hints = field_hints(hint)
    return tuple(hints.get(name, Any) for name in origin._fields)


def _fits_tuple(members: tuple[Hint, ...], taken: type, wanted: tuple[Hint, ...]) -> bool:
    if taken is not tuple or wanted[-1] is ...:
        return all(_fits(member, wanted[0]) for member in members if member is not ...)
    if not members or members[-1] is ...:
        return not members or members[0] is Any
    return len(members) == len(wanted) and all(map(_fits, members, wanted))


def _fit_arguments(given: tuple[Hint, ...], wanted: tuple[Hint, ...], parameters: tuple[Any, ...]) -> bool:
    """Compare arguments in pairs: covariantly, but for a parameter that says it is contravariant."""
    turned = [getattr(parameter, "__contravariant__", False) for parameter in parameters]
    turned += [False] * len(wanted)
    return all(_fits(b, a) if turn else _fits(a, b) for a, b, turn in zip(given, wanted, turned, strict=False))


def members(hint: Hint) -> tuple[Hint, ...]:
    """Return the members of a union, and any other hint as the only one."""
    hint = plain(hint)
    return get_args(hint) if origin_of(hint) in UNIONS else (hint,)


def literal_members(hint: Hint) -> tuple[Any, ...]:
    """Return the members of a Literal, and nothing for any other hint."""
    hint = plain(hint)
    return get_args(hint) if origin_of(hint) is Literal else ()


def show(hint: Hint) -> str:
    """Return a hint as one would write it."""
    if hint is type(None):
        return "None"
    if hint is ... or isinstance(hint, list):
        return "..." if hint is ... else f"[{', '.join(map(show, hint))}]"
    origin, arguments = generic(hint)
    if origin in UNIONS:
        return " | ".join(map(show, arguments))
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, arguments))}]"
    if isinstance(origin, type) and arguments:
        return f"{origin.__name__}[{', '.join(map(show, arguments))}]"
    named = isinstance(hint, type | NewType) or type(hint).__name__ == "TypeAliasType"
    return str(hint.__name__) if named else str(hint).replace("typing.", "")
