"""What functions and records take and give, read off their annotations."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from typing import Any, Union, get_args

from metier_contracts import PipelineTypeError, Request
from pydantic import BaseModel
from typing_extensions import get_type_hints, is_typeddict

from metier.pipeline.hints import (
    UNIONS,
    Hint,
    annotated,
    arguments_as,
    field_hint,
    field_hints,
    origin_of,
    parted,
    row_of,
    show,
)


def signature_of(function: Callable[..., Any]) -> tuple[Hint, Hint]:
    """Return what a function of one value takes and gives, by its annotations; a class gives itself.

    Raises:
        PipelineTypeError: an annotation is missing or cannot be resolved, or there is not exactly one parameter.
    """
    name = name_of(function)
    parameter = _only_parameter(function, name)
    hints = _resolved(function, name)
    for wanted, what in ((parameter, f"of parameter {parameter!r}"), ("return", "of what it returns")):
        if wanted not in hints:
            raise unusable(name, f"an annotation {what}", "none", "annotate it, or give takes=... and gives=...")
    return hints[parameter], hints["return"]


def refuse_async(function: Callable[..., Any]) -> None:
    """Raise `PipelineTypeError` where a call gives a coroutine or an async generator."""
    bearer = _annotated(function)
    if inspect.iscoroutinefunction(bearer) or inspect.isasyncgenfunction(bearer):
        hint = "call it through a plain function; `arun` runs in a thread"
        raise unusable(name_of(function), "a plain function", "an async one", hint)


def _resolved(function: Callable[..., Any], name: str) -> dict[str, Hint]:
    """Return the hints of the parameters and, as "return", of the result."""
    kind = origin_of(function) or function
    try:
        if not isinstance(kind, type):
            return get_type_hints(inspect.unwrap(_annotated(function)), include_extras=True)
        init = inspect.getattr_static(kind, "__init__")
        by_init = inspect.isfunction(init) and not is_dataclass(kind)
        return field_hints(function, init if by_init else None) | {"return": function}
    except (NameError, TypeError, AttributeError) as error:
        raise unusable(
            name, "annotations that resolve", str(error), "define the type at module level, or import it"
        ) from None


def _annotated(function: Callable[..., Any]) -> Any:
    """Return what bears the annotations: the function in a partial, the `__call__` of an object."""
    if isinstance(function, functools.partial):
        return _annotated(function.func)
    return function if inspect.isroutine(function) or isinstance(function, type) else type(function).__call__


def _only_parameter(function: Callable[..., Any], name: str) -> str:
    parameters = _parameters(function, name)
    required = [p for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if not parameters or parameters[0].kind not in (0, 1) or any(p is not parameters[0] for p in required):
        got = ", ".join(p.name for p in parameters) or "none"
        raise unusable(name, "exactly one parameter without a default", got, "bind the others with functools.partial")
    return parameters[0].name


def _parameters(function: Callable[..., Any], name: str) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        raise unusable(
            name, "a signature", "a builtin without one", "give takes=... and gives=..., or write a function"
        ) from None


def unusable(name: str, expected: str, got: str, hint: str) -> PipelineTypeError:
    """Return the error of a function, or of a class, that cannot be used."""
    return PipelineTypeError(
        f"{name!r} cannot be used in a pipeline",
        expected=expected,
        got=got,
        blame=f"the signature of {name!r}",
        hint=hint,
    )


def name_of(function: Any) -> str:
    """Return a function's name for people, or a class's."""
    inner = function.func if isinstance(function, functools.partial) else origin_of(function) or function
    return str(getattr(inner, "__qualname__", type(inner).__name__)).rpartition("<locals>.")[2]


@dataclass(frozen=True)
class Fields:
    """What makes a record by keywords: the hints of those it takes, the names of those it needs, and what it gives."""

    takes: dict[str, Hint]
    needs: frozenset[str]
    gives: Hint


def fields_of(into: Any) -> Fields:
    """Return the fields of a class (a dataclass, NamedTuple, TypedDict, model, ...) or the keywords of a function.

    Raises:
        PipelineTypeError: it is no plain function or class, an annotation cannot be resolved, or there is no signature.
    """
    name, kind = name_of(into), origin_of(into) or into
    if not callable(kind):
        raise unusable(name, "a class with fields, or a function", "a value", "use a dataclass")
    refuse_async(into)
    if is_typeddict(kind):
        return Fields(*row_of(into), into)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        fields = {field.alias or key: field for key, field in kind.model_fields.items()}
        needs = frozenset(key for key, field in fields.items() if field.is_required())
        return Fields({key: field_hint(field) for key, field in fields.items()}, needs, into)
    hints = _resolved(into, name)
    gives = hints.pop("return", Any)
    named = [p for p in _parameters(kind, name) if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    needs = frozenset(p.name for p in named if p.default is p.empty)
    return Fields({p.name: hints.get(p.name, Any) for p in named}, needs, gives)


def response_hint(request: Hint, name: str) -> Hint:
    """Return the response that a request type names: `Classification[Desk]` for `Classify[Desk]`.

    Semantics beside the request are those of the response: `Annotated[Forecast, Horizon(24)]`.

    Raises:
        PipelineTypeError: the hint is no request type.
    """
    request, semantics = parted(request)
    if semantics:
        return annotated(response_hint(request, name), semantics)
    if origin_of(request) in UNIONS:
        return Union[tuple(response_hint(member, name) for member in get_args(request))]  # noqa: UP007
    if isinstance(request, type) and issubclass(request, Request):
        return arguments_as(request, Request)[0]
    raise PipelineTypeError(
        f"the function {name!r} is no task",
        expected="a return annotation that is a request type, for example -> Classify",
        got=f"-> {show(request)}",
        blame=f"the function {name!r}",
        hint="use @step for a function that returns a plain value",
    )
