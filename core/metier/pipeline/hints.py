"""Type hints at build time: reading them off functions, and whether one flows into another."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Sequence
from typing import Annotated, Any, ForwardRef, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import typing_extensions
from metier_contracts import PipelineTypeError, Request
from pydantic import BaseModel

Hint = Any

_AS_SEQUENCE: dict[Any, Any] = {str: Sequence[str], bytes: Sequence[int]}
_PROMOTED: dict[Any, tuple[Any, ...]] = {float: (int,), complex: (int, float)}
_UNIONS: tuple[Any, ...] = (Union, types.UnionType)


def _origin(hint: Hint) -> Any:
    """Return `typing.get_origin`, typed as what it is for us: anything."""
    return get_origin(hint)


def signature_of(function: Callable[..., Any]) -> tuple[Hint, Hint]:
    """Return what a function of one value takes and gives, by its annotations.

    Raises:
        PipelineTypeError: an annotation is missing or cannot be resolved, or there is not exactly one parameter.
    """
    name = name_of(function)
    if inspect.iscoroutinefunction(function):
        raise _unusable(
            name, "a plain function", "an async one", "call it through a plain function; `arun` runs in a thread"
        )
    parameter = _only_parameter(function, name)
    try:
        hints = get_type_hints(_annotated(function), include_extras=True)
    except (NameError, TypeError, AttributeError) as error:
        raise _unusable(
            name, "annotations that resolve", str(error), "define the type at module level, or import it"
        ) from None
    for wanted, what in ((parameter, f"of parameter {parameter!r}"), ("return", "of what it returns")):
        if wanted not in hints:
            raise _unusable(name, f"an annotation {what}", "none", "annotate it, or give takes=... and gives=...")
    return hints[parameter], hints["return"]


def _annotated(function: Callable[..., Any]) -> Any:
    """Return what bears the annotations: the function in a partial, the `__call__` of an object."""
    if isinstance(function, functools.partial):
        return _annotated(function.func)
    return function if inspect.isroutine(function) or isinstance(function, type) else type(function).__call__


def _only_parameter(function: Callable[..., Any], name: str) -> str:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        raise _unusable(
            name, "a function with a signature", "a builtin without one", "give takes=... and gives=..."
        ) from None
    required = [p for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if not parameters or len(required) > 1 or parameters[0].kind not in (0, 1):
        got = ", ".join(p.name for p in parameters) or "none"
        raise _unusable(name, "exactly one parameter without a default", got, "bind the others with functools.partial")
    return parameters[0].name


def _unusable(name: str, expected: str, got: str, hint: str) -> PipelineTypeError:
    return PipelineTypeError(
        f"the function {name!r} cannot be a step", expected=expected, got=got, blame=f"the function {name!r}", hint=hint
    )


def name_of(function: Callable[..., Any]) -> str:
    """Return a function's name for people."""
    inner = getattr(function, "func", function)
    return str(getattr(inner, "__qualname__", type(inner).__name__)).rpartition("<locals>.")[2]


def response_hint(request: Hint, name: str) -> Hint:
    """Return the response that a request type names: `Classification[Desk]` for `Classify[Desk]`.

    Raises:
        PipelineTypeError: the hint is no request type.
    """
    if _origin(request) in _UNIONS:
        return Union[tuple(response_hint(member, name) for member in get_args(request))]  # noqa: UP007
    if isinstance(request, type) and issubclass(request, Request):
        for base in request.__mro__:
            origin, arguments = _generic(base)
            if origin is Request and arguments:
                return _parametrise(arguments[0], _generic(request)[1])
    raise PipelineTypeError(
        f"the function {name!r} is no task",
        expected="a return annotation that is a request type, for example -> Classify",
        got=f"-> {show(request)}",
        blame=f"the function {name!r}",
        hint="use @step for a function that returns a plain value",
    )


def _parametrise(response: Hint, arguments: tuple[Hint, ...]) -> Hint:
    generic = getattr(response, "__pydantic_generic_metadata__", {}).get("parameters")
    return response[arguments] if generic and arguments else response


def _generic(hint: Hint) -> tuple[Hint, tuple[Hint, ...]]:
    """Return (origin, arguments) of a hint; a pydantic generic left bare has its parameters' defaults."""
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        metadata = hint.__pydantic_generic_metadata__
        if metadata["origin"] is not None:
            return metadata["origin"], metadata["args"]
        return hint, tuple(_default(parameter) for parameter in metadata["parameters"])
    return _origin(hint), get_args(hint)


def _default(parameter: Any) -> Hint:
    default = getattr(parameter, "__default__", typing_extensions.NoDefault)
    return Any if default is typing_extensions.NoDefault else default


def fits(gives: Hint, takes: Hint) -> bool:
    """Tell whether every value of `gives` is one of `takes`, covariantly; `Any` and type variables fit everything."""
    gives, takes = _plain(gives), _plain(takes)
    if gives == takes or takes in (Any, object) or gives is Any or _is_static_protocol(takes):
        return True
    if _origin(gives) in _UNIONS:
        return all(fits(member, takes) for member in get_args(gives))
    if _origin(takes) in _UNIONS:
        return any(fits(gives, member) for member in get_args(takes)) or _subhint(gives, takes)
    if gives in _PROMOTED.get(takes, ()):
        return True
    return _fits_by_parts(gives, takes)


def _is_static_protocol(hint: Hint) -> bool:
    """A protocol that is not `@runtime_checkable` can be told by type checkers alone."""
    return bool(getattr(hint, "_is_protocol", False)) and not getattr(hint, "_is_runtime_protocol", False)


def _fits_by_parts(gives: Hint, takes: Hint) -> bool:
    (given, given_arguments), (taken, taken_arguments) = _generic(_AS_SEQUENCE.get(gives, gives)), _generic(takes)
    by_class = isinstance(given, type) and isinstance(taken, type)
    if not by_class or not given_arguments or not taken_arguments or given is tuple or taken is tuple:
        return _fits_tuple(gives, takes) if given is tuple and taken_arguments else _subhint(gives, takes)
    if len(given_arguments) != len(taken_arguments) or _is_callable(taken):
        return _subhint(gives, takes)
    return issubclass(given, taken) and all(map(fits, given_arguments, taken_arguments))


def _is_callable(origin: type) -> bool:
    return origin.__name__ == "Callable"


def _fits_tuple(gives: Hint, takes: Hint) -> bool:
    members, (taken, wanted) = get_args(gives), _generic(takes)
    if not isinstance(taken, type) or not issubclass(tuple, taken):
        return False
    variadic = taken is not tuple or (len(wanted) == 2 and wanted[1] is ...)
    if len(members) == 2 and members[1] is ...:
        return variadic and fits(members[0], wanted[0])
    if variadic:
        return all(fits(member, wanted[0]) for member in members)
    return len(members) == len(wanted) and all(map(fits, members, wanted))


def _subhint(gives: Hint, takes: Hint) -> bool:
    from beartype.door import is_subhint

    try:
        return bool(is_subhint(gives, takes))
    except Exception as error:  # beartype's own tree, which grows; whatever it cannot read is not a type to us
        raise PipelineTypeError(
            "a type cannot be compared",
            expected="hints that beartype understands",
            got=f"{show(gives)} and {show(takes)}: {error}",
            blame="the annotations of the two steps",
        ) from None


def _plain(hint: Hint) -> Hint:
    """Take off `Annotated`, and put what a type variable is bound to in its place."""
    if _origin(hint) is Annotated:
        return _plain(get_args(hint)[0])
    if hint is None:
        return type(None)
    if isinstance(hint, TypeVar | ForwardRef):
        return _plain(getattr(hint, "__bound__", None) or Any)
    return hint


def literal_members(hint: Hint) -> tuple[Any, ...]:
    """Return the members of a Literal, and nothing for any other hint."""
    hint = _plain(hint)
    return get_args(hint) if _origin(hint) is Literal else ()


def accepts(takes: Hint, value: object) -> bool:
    """Tell whether a value is one that `takes` describes, as far as that can be told without reading all of it."""
    from beartype.door import is_bearable

    return _is_static_protocol(_plain(takes)) or bool(is_bearable(value, _erased(takes)))


def _erased(hint: Hint) -> Hint:
    """Return a hint that a value can be held against: the parameters of pydantic generics are not kept in values."""
    hint = _plain(hint)
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return _generic(hint)[0]
    if hint in _PROMOTED:
        return Union[(hint, *_PROMOTED[hint])]
    arguments = get_args(hint)
    if not arguments or _origin(hint) is Literal or any(isinstance(argument, list) for argument in arguments):
        return hint
    erased = tuple(argument if argument is ... else _erased(argument) for argument in arguments)
    if _origin(hint) in _UNIONS:
        return Union[erased]  # noqa: UP007
    return hint.copy_with(erased) if hasattr(hint, "copy_with") else types.GenericAlias(_origin(hint), erased)


def show(hint: Hint) -> str:
    """Return a hint as one would write it."""
    if hint is type(None):
        return "None"
    origin, arguments = _generic(hint)
    if isinstance(hint, type) and not arguments:
        return hint.__name__
    if origin in _UNIONS:
        return " | ".join(map(show, arguments))
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, arguments))}]"
    if isinstance(origin, type) and arguments:
        shown = ", ".join("..." if argument is ... else show(argument) for argument in arguments)
        return f"{origin.__name__}[{shown}]"
    return str(hint).replace("typing.", "")
