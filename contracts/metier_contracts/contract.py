"""`Contract`, the base of everything that crosses a boundary: frozen, strict when built, lenient on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticSerializationError

from metier_contracts.errors import InputError
from metier_contracts.messages import input_error
from metier_contracts.refusal import shown_error
from metier_contracts.semantics import Semantic


class Contract(BaseModel):
    """A frozen record.

    Its constructor refuses unknown fields, `from_json` ignores them: a peer with a newer minor may send more.
    Bad values raise `InputError`, which names each field, what was expected and what came.
    `semantics` is what a class promises of each of its records, for pipelines to compare.
    """

    semantics: ClassVar[tuple[Semantic, ...]] = ()

    # Validators are built at first use: building all of them would triple the time that `import metier` takes.
    # NaN in JSON would be null, which is no number; as the string "NaN" it comes back as it was.
    model_config = ConfigDict(
        frozen=True, extra="forbid", protected_namespaces=(), defer_build=True, ser_json_inf_nan="strings"
    )

    if not TYPE_CHECKING:

        def __init__(self, /, **data: Any) -> None:
            try:
                self.__pydantic_validator__.validate_python(data, self_instance=self)
            except ValidationError as error:
                raise input_error(type(self), error) from None

        # Without this mark pydantic takes the constructor for a custom one and calls it for every nested record too.
        __init__.__pydantic_base_init__ = True

    def replaced(self, **values: Any) -> Self:
        """Return a copy with some fields replaced, unchecked: `model_copy(update=...)` at a third of its price."""
        copied, private = type(self).__new__(type(self)), self.__pydantic_private__
        object.__setattr__(copied, "__dict__", {**self.__dict__, **values})
        object.__setattr__(copied, "__pydantic_fields_set__", {*self.__pydantic_fields_set__, *values})
        object.__setattr__(copied, "__pydantic_extra__", None)
        object.__setattr__(copied, "__pydantic_private__", private and {**private})
        return copied

    def to_json(self) -> str:
        """Return the record as JSON: arrays as base64, masks as COCO run lengths, images as PNG."""
        try:
            return self.model_dump_json()
        except PydanticSerializationError as error:
            raise InputError(
                f"{type(self).__name__} does not go into JSON",
                expected="texts, numbers, truth values, None, lists and mappings in the fields that take anything",
                got=shown_error(error),
                blame="the value in such a field",
                hint="convert it first, for example an array with .tolist()",
            ) from None

    @classmethod
    def from_json(cls, data: str | bytes) -> Self:
        """Return the record that `to_json` wrote; fields that this version does not know are ignored."""
        try:
            return cls.model_validate_json(data, extra="ignore")
        except ValidationError as error:
            raise input_error(cls, error) from None

    @classmethod
    def from_mapping(cls, data: object) -> Self:
        """Return the record held in parsed TOML or JSON; an unknown field is an `InputError`."""
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise input_error(cls, error) from None

    def __eq__(self, other: object) -> bool:
        """Compare field by field; arrays are equal when dtype, shape and every element are (NaN equals NaN)."""
        if not isinstance(other, Contract) or _origin(type(self)) is not _origin(type(other)):
            return NotImplemented
        return all(_equal(getattr(self, name), getattr(other, name)) for name in type(self).model_fields)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle a record of a parametrised class, such as `Classify[Literal["a", "b"]]`, which no module holds."""
        arguments = type(self).__pydantic_generic_metadata__["args"]
        return _blank, (_origin(type(self)), arguments), self.__getstate__()

    # Set to None, pydantic would replace it, and a record could be hashed as long as it holds no array or mapping.
    def __hash__(self) -> int:
        raise TypeError(f"unhashable type: {type(self).__name__!r}")


def _origin(kind: type[BaseModel]) -> type[BaseModel]:
    """Return the class behind a parametrised one: `Classification[str]` and `Classification` hold the same data."""
    return kind.__pydantic_generic_metadata__["origin"] or kind


def _blank(origin: Any, arguments: tuple[Any, ...]) -> Contract:
    kind = origin[arguments] if arguments else origin
    return cast("Contract", kind.__new__(kind))


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        floats = left.dtype.kind in "fc" and right.dtype.kind in "fc"
        return left.dtype == right.dtype and np.array_equal(left, right, equal_nan=floats)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(_equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_equal(left[key], right[key]) for key in left)
    if isinstance(left, np.ndarray) or isinstance(right, np.ndarray):
        return False
    return bool(left == right)
