"""`Contract`, the base of everything that crosses a boundary: frozen, strict when built, lenient on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from metier_contracts.errors import InputError

_SHOWN = 80


class Contract(BaseModel):
    """A frozen record.

    Its constructor refuses unknown fields, `from_json` ignores them: a peer with a newer minor may send more.
    Bad values raise `InputError`, which names each field, what was expected and what came.
    """

    # Validators are built at first use: building all of them would triple the time that `import metier` takes.
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=(), defer_build=True)

    if not TYPE_CHECKING:

        def __init__(self, /, **data: Any) -> None:
            try:
                self.__pydantic_validator__.validate_python(data, self_instance=self)
            except ValidationError as error:
                raise input_error(type(self).__name__, error) from None

        # Without this mark pydantic takes the constructor for a custom one and calls it for every nested record too.
        __init__.__pydantic_base_init__ = True

    def to_json(self) -> str:
        """Return the record as JSON: arrays as base64, masks as COCO run lengths, images as PNG."""
        return self.model_dump_json()

    @classmethod
    def from_json(cls, data: str | bytes) -> Self:
        """Return the record that `to_json` wrote; fields that this version does not know are ignored."""
        try:
            return cls.model_validate_json(data, extra="ignore")
        except ValidationError as error:
            raise input_error(cls.__name__, error) from None

    @classmethod
    def from_mapping(cls, data: object) -> Self:
        """Return the record held in parsed TOML or JSON; an unknown field is an `InputError`."""
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise input_error(cls.__name__, error) from None

    def __eq__(self, other: object) -> bool:
        """Compare field by field; arrays are equal when dtype, shape and every element are (NaN equals NaN)."""
        if not isinstance(other, Contract) or _origin(type(self)) is not _origin(type(other)):
            return NotImplemented
        return all(_equal(getattr(self, name), getattr(other, name)) for name in type(self).model_fields)

    __hash__ = None  # type: ignore[assignment]  # fields may be arrays and mappings


def _origin(kind: type[BaseModel]) -> type[BaseModel]:
    """Return the class behind a parametrised one: `Classification[str]` and `Classification` hold the same data."""
    return kind.__pydantic_generic_metadata__["origin"] or kind


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        floats = left.dtype.kind in "fc" and right.dtype.kind in "fc"
        return left.dtype == right.dtype and np.array_equal(left, right, equal_nan=floats)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(_equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_equal(left[key], right[key]) for key in left)
    return bool(left == right)


def input_error(name: str, error: ValidationError) -> InputError:
    """Turn pydantic's report on the record `name` into an `InputError` that names each field."""
    problems = [_Problem(name, details) for details in error.errors(include_url=False)]
    first = problems[0]
    rest = "".join(f"; also {p.where}: {p.expected}" for p in problems[1:4])
    if len(problems) > 4:
        rest += f"; and {len(problems) - 4} more"
    return InputError(
        f"{first.where} is not valid",
        expected=first.expected + rest,
        got=first.got,
        blame=f"the value given for {first.where}",
        hint=f"correct it, or read help(metier_contracts.{name.partition('[')[0]})",
    )


_OWN_WORDS = {"extra_forbidden": "no field of this name", "missing": "a value, since the field is required"}


def _expected(details: Any) -> str:
    if details["type"] in _OWN_WORDS:
        return _OWN_WORDS[details["type"]]
    cause = details.get("ctx", {}).get("error")
    if isinstance(cause, InputError):
        return cause.expected or cause.summary
    return str(details["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")


class _Problem:
    def __init__(self, name: str, details: Any) -> None:
        self.where = ".".join([name, *map(str, details["loc"])])
        self.expected = _expected(details)
        given = " ".join(repr(details["input"]).split())
        self.got = given if len(given) <= _SHOWN else f"{given[:_SHOWN]}... ({type(details['input']).__name__})"
