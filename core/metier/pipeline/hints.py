"""Type hints: what they are made of, whether one flows into another, and how they are written."""

from __future__ import annotations

import types
from collections import Counter
from collections.abc import Callable, ItemsView, Iterator, Mapping
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
from metier_contracts import Contract, Labels, Semantic
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from typing_extensions import ReadOnly, get_type_hints, is_typeddict

from metier.pipeline.fit import FIT, UNFIT, Fit, all_of, any_of

Hint = Any
Semantics = dict[type[Semantic], Semantic]

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
    return parted(hint)[0]


def parted(hint: Hint) -> tuple[Hint, Semantics]:
    """Return (the plain hint, the semantics that stand beside it in `Annotated`, by kind; the outermost counts)."""
    if hint is None:
        return type(None), {}
    origin = origin_of(hint)
    if origin in _WRAPPERS:
        inner, semantics = parted(get_args(hint)[0])
        beside = getattr(hint, "__metadata__", ())
        return inner, semantics | {type(one): one for one in beside if isinstance(one, Semantic)}
    if isinstance(hint, TypeVar | ForwardRef):
        return parted(getattr(hint, "__bound__", None) or Any)
    if isinstance(hint, NewType):
        return hint, parted(hint.__supertype__)[1]
    alias = origin or hint
    if type(alias).__name__ == "TypeAliasType":  # typing's from Python 3.12 on, or that of typing_extensions
        return parted(substituted(alias.__value__, dict(zip(alias.__type_params__, get_args(hint), strict=False))))
    return hint, {}


def annotated(hint: Hint, semantics: Semantics) -> Hint:
    """Return a hint with semantics beside it."""
    return Annotated[(hint, *semantics.values())] if semantics else hint


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
    return {key: annotated(*parted(field)) for key, field in keys.items()}, frozenset(needs)


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


def fits(gives: Hint, takes: Hint) -> Fit:
    """Tell whether every value of `gives` is one of `takes`, as type checkers do, with mutable containers covariant.

    `Any` and type variables fit everything, and so does what only type checkers can tell. Semantics that both declare
    must fit as well; the `Fit` is true where all does.
    """
    try:
        return _fits(gives, takes)
    except RecursionError:  # two types that hold themselves, and nothing in the one that is not in the other
        return FIT


def _fits(gives: Hint, takes: Hint) -> Fit:
    (given, has), (taken, wants) = parted(gives), parted(takes)
    if given in (Never, NoReturn):
        return FIT
    if given is not Any and given != taken:
        if alternatives := _alternatives(given):
            return all_of(_fits(annotated(one, has), takes) for one in alternatives)
        if origin_of(taken) in UNIONS:
            return any_of(_fits(gives, annotated(one, wants)) for one in get_args(taken))
    types = _types_fit(given, taken)
    if not types.types or given is type(None):
        return types
    return all_of((_semantics_fit(_promised(given) | has, _promised(taken), wants), types))


def _semantics_fit(has: Semantics, promised: Semantics, wants: Semantics) -> Fit:
    """Compare by kind; what the class that is taken promises by itself needs no other word of what is given."""
    if not wants and not (promised and has):
        return FIT
    pairs = [(has.get(kind), want) for kind, want in (promised | wants).items()]
    verdicts = [(given, want, None if given is None else want.admits(given)) for given, want in pairs]
    return Fit(
        clashes=tuple((given, want) for given, want, verdict in verdicts if given is not None and verdict is False),
        unchecked=tuple(want for _, want, verdict in verdicts if verdict is None and type(want) in wants),
    )


def _promised(hint: Hint) -> Semantics:
    """Return the semantics that a type has by itself: a contract's own, and the labels of a Literal of texts."""
    origin, arguments = generic(hint)
    if origin is Literal and all(isinstance(member, str) and member for member in arguments):
        return {Labels: Labels(*arguments)}
    promised = origin.semantics if isinstance(origin, type) and issubclass(origin, Contract) else ()
    return {type(one): one for one in promised}


def _types_fit(gives: Hint, takes: Hint) -> Fit:
    if gives == takes or takes in (Any, object):
        return FIT
    if gives is Any:
        return Fit(unchecked=tuple(declared(takes)))
    if origin_of(takes) is Literal:
        return FIT if gives in _literals(takes) else UNFIT
    if origin_of(gives) is Literal:
        return _fits(type(get_args(gives)[0]), takes)
    if isinstance(gives, NewType):
        return _fits(gives.__supertype__, takes)
    if takes in (Never, NoReturn) or isinstance(takes, NewType):
        return UNFIT
    return _fits_class(gives, takes)


def _alternatives(hint: Hint) -> list[Hint]:
    """Return the hints of which a union, or a Literal of several members, is one."""
    if origin_of(hint) in UNIONS:
        return list(get_args(hint))
    return _literals(hint) if origin_of(hint) is Literal and len(get_args(hint)) > 1 else []


def _literals(hint: Hint) -> list[Hint]:
    return [type(None) if member is None else Literal[member] for member in get_args(hint)]


def _fits_class(gives: Hint, takes: Hint) -> Fit:
    (given, _), (taken, wanted) = generic(gives), generic(takes)
    if not isinstance(given, type) or not isinstance(taken, type):
        return FIT
    if is_typeddict(taken):
        return _fits_row(gives, takes) if is_typeddict(given) else UNFIT
    if is_typeddict(given):
        return _fits(Mapping[str, object], takes)
    if any(_fits(gives, narrower) for narrower in PROMOTED.get(taken, ())):
        return FIT
    if not _is_subclass(given, taken) or not wanted:
        return FIT if _is_subclass(given, taken) else UNFIT
    if taken is _CALLABLE:
        return _fits_call(get_args(gives), wanted) if given is _CALLABLE else FIT
    if issubclass(given, tuple):
        return _fits_tuple(_tuple_members(gives), taken, wanted)
    return _fit_arguments(arguments_as(gives, taken), wanted, _parameters(taken))


def _is_subclass(given: Any, taken: Any) -> bool:
    try:
        return issubclass(given, taken)
    except TypeError:  # a protocol with fields, or one that is not @runtime_checkable, is for type checkers
        return True


def _fits_row(gives: Hint, takes: Hint) -> Fit:
    (has, given), (wants, needed) = row_of(gives), row_of(takes)
    if not needed <= given or not wants.keys() <= has.keys():
        return UNFIT
    return all_of(_fits(has[key], hint) for key, hint in wants.items())


def _fits_call(given: tuple[Any, ...], wanted: tuple[Any, ...]) -> Fit:
    if not given:
        return FIT
    (takes, gives), (passed, expected) = given, wanted
    if not isinstance(takes, list) or not isinstance(passed, list):
        return _fits(gives, expected)
    return all_of(map(_fits, [*passed, gives], [*takes, expected])) if len(takes) == len(passed) else UNFIT


def _tuple_members(hint: Hint) -> tuple[Hint, ...]:
    origin = generic(hint)[0]
    if not hasattr(origin, "_fields"):
        return arguments_as(hint, tuple)
    hints = field_hints(hint)
    return tuple(hints.get(name, Any) for name in origin._fields)


def _fits_tuple(members: tuple[Hint, ...], taken: type, wanted: tuple[Hint, ...]) -> Fit:
    if taken is not tuple or wanted[-1] is ...:
        return all_of(_fits(member, wanted[0]) for member in members or (Any,) if member is not ...)
    if not members or members[-1] is ...:
        return all_of(_fits(Any, one) for one in wanted) if members[:1] in ((), (Any,)) else UNFIT
    return all_of(map(_fits, members, wanted)) if len(members) == len(wanted) else UNFIT


def _fit_arguments(given: tuple[Hint, ...], wanted: tuple[Hint, ...], parameters: tuple[Any, ...]) -> Fit:
    """Compare arguments in pairs: covariantly, but for a parameter that says it is contravariant."""
    turned = [getattr(parameter, "__contravariant__", False) for parameter in parameters]
    turned += [False] * len(wanted)
    pairs = zip((*given, *[Any] * len(wanted)), wanted, turned, strict=False)
    return all_of(_fits(b, a) if turn else _fits(a, b) for a, b, turn in pairs)


def declared(hint: Hint, seen: tuple[Hint, ...] = ()) -> Iterator[Semantic]:
    """Yield the semantics that a hint declares, those of its parts included; a type that holds itself is read once."""
    inner, semantics = parted(hint)
    yield from semantics.values()
    if inner not in seen and origin_of(inner) is not Literal:
        for part in _parts(inner):
            yield from declared(part, (*seen, inner))


def _parts(hint: Hint) -> list[Hint]:
    origin, arguments = generic(hint)
    if is_typeddict(origin):
        try:
            return list(row_of(hint)[0].values())
        except NameError:  # it names what only type checkers can see
            return []
    spread = [one if isinstance(one, list) else [one] for one in arguments]  # a Callable holds its parameters in a list
    return [one for several in spread for one in several if one is not ...]


def model_hints(hint: Hint) -> dict[str, Hint]:
    """Return the hints of a pydantic model's fields, with their semantics, by the fields' names."""
    return {name: field_hint(field) for name, field in hint.model_fields.items()}


def field_hint(field: FieldInfo) -> Hint:
    """Return the hint of a pydantic model's field, with its semantics."""
    beside = {type(one): one for one in field.metadata if isinstance(one, Semantic)}
    return annotated(field.annotation, beside)


def members(hint: Hint) -> tuple[Hint, ...]:
    """Return the members of a union, and any other hint as the only one."""
    hint = plain(hint)
    return get_args(hint) if origin_of(hint) in UNIONS else (hint,)


def known_members(hint: Hint) -> tuple[Any, ...]:
    """Return the members of a Literal, or the `Labels` declared, and nothing for any other hint."""
    inner, semantics = parted(hint)
    if origin_of(inner) is Literal:
        return get_args(inner)
    labels = semantics.get(Labels)
    return labels.labels if isinstance(labels, Labels) else ()


def show(hint: Hint) -> str:
    """Return a hint as one would write it."""
    if hint is type(None):
        return "None"
    if hint is ... or isinstance(hint, list):
        return "..." if hint is ... else f"[{', '.join(map(show, hint))}]"
    origin, arguments = generic(hint)
    if origin is Annotated:
        inner, semantics = parted(hint)
        beside = "".join(f", {semantic!r}" for semantic in semantics.values())
        return f"Annotated[{show(inner)}{beside}]" if semantics else show(inner)
    if origin in UNIONS:
        return " | ".join(map(show, arguments))
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, arguments))}]"
    if isinstance(origin, type) and arguments:
        return f"{origin.__name__}[{', '.join(map(show, arguments))}]"
    named = isinstance(hint, type | NewType) or type(hint).__name__ == "TypeAliasType"
    return str(hint.__name__) if named else str(hint).replace("typing.", "")
