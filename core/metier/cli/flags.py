"""The flags of a request whose class a plugin brings: one for each of its fields."""

from __future__ import annotations

import inspect
import json
import types
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from metier_contracts import Image, InputError, Request
from pydantic.fields import FieldInfo

from metier.cli.requests import text_or_stdin

_PLAIN = (str, int, float, bool)
_LISTS = (tuple, list, Sequence)


def request_builder(kind: type[Request[Any]], taken: Collection[str]) -> Callable[..., Request[Any]]:
    """Return a function that makes a request of flags; those not given are left to the request's defaults.

    A picture is given by its file, a list by repeating its flag, a number, a word or a truth value as it is, and all
    else as JSON.

    Args:
        kind: the request's class.
        taken: names that are flags of the command already: a field of such a name is given by `--request` alone.
    """
    fields = {name: field for name, field in kind.model_fields.items() if name not in taken}

    def build(**flags: Any) -> Request[Any]:
        given = {name: value for name, value in flags.items() if value not in (None, [])}
        return kind.from_mapping({name: _read(name, fields[name], value) for name, value in given.items()})

    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_option(name, field))
        for name, field in fields.items()
    ]
    build.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    build.__doc__ = (inspect.getdoc(kind) or "").partition("\n")[0]
    return build


def _option(name: str, field: FieldInfo) -> Any:
    """Return the annotation by which typer makes the flag."""
    kind, several = _kind(field.annotation)
    flag = f"--{name.replace('_', '-')}"
    worth_telling = isinstance(field.default, str | int | float) and field.default not in (False, "")
    said = (field.description, _shape(kind), f"By default {field.default}." if worth_telling else "")
    words = [flag, f"--no-{flag[2:]}"] if kind is bool and field.default is True else [flag]
    shown = typer.Option(*words, help=" ".join(filter(None, said)))
    word: Any = Path if kind is Image else kind if kind in _PLAIN else str
    return Annotated[list[word] | None if several else word | None, shown]


def _shape(kind: Any) -> str:
    if kind is Image:
        return "A picture file."
    if get_origin(kind) is Literal:
        return f"One of {', '.join(map(str, get_args(kind)))}."
    return "" if kind in _PLAIN else "As JSON."


def _read(name: str, field: FieldInfo, value: Any) -> Any:
    kind, several = _kind(field.annotation)
    return [_read_one(name, kind, one) for one in value] if several else _read_one(name, kind, value)


def _read_one(name: str, kind: Any, value: Any) -> Any:
    if kind is Image:
        return Image.from_path(value)
    if kind is str:
        return text_or_stdin(value)
    if kind in _PLAIN or get_origin(kind) is Literal:
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError as error:
        flag = f"--{name.replace('_', '-')}"
        raise InputError(f"{flag} is no JSON", expected="a value as JSON", got=str(error), blame=flag) from None


def _kind(hint: Any) -> tuple[Any, bool]:
    """Return what a field holds, and whether it holds several of these: of `Sequence[Image] | None`, (Image, True)."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _kind(arguments[0])
    if origin in (Union, types.UnionType):
        members = [one for one in arguments if one is not type(None)]
        return _kind(members[0]) if len(members) == 1 else (hint, False)
    if origin in _LISTS and (len(arguments) == 1 or arguments[1:] == (...,)):
        member, nested = _kind(arguments[0])
        if member in (*_PLAIN, Image) and member is not bool and not nested:
            return member, True
    return hint, False
