"""From pydantic's report on a record to the `InputError` that the caller reads."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from metier_contracts.errors import InputError
from metier_contracts.refusal import Refusal, shown

_EXPECTED = 300
_MORE = 2

# Pydantic's error types in our words; the braces are filled from the context that it gives.
_WORDS = {
    "bool_parsing": "True or False",
    "bool_type": "True or False",
    "dict_type": "a mapping",
    "extra_forbidden": "no field of this name",
    "float_parsing": "a number",
    "float_type": "a number",
    "greater_than": "a number above {gt:g}",
    "greater_than_equal": "a number of at least {ge:g}",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "is_instance_of": "{class}",
    "json_invalid": "valid JSON ({error})",
    "json_type": "JSON as str or bytes",
    "less_than": "a number below {lt:g}",
    "less_than_equal": "a number of at most {le:g}",
    "list_type": "a list or tuple",
    "mapping_type": "a mapping",
    "missing": "a value, since the field is required",
    "model_type": "{class_name} or a mapping of its fields",
    "sequence_str": "a list or tuple, not a single str",
    "string_pattern_mismatch": "a str that matches {pattern}",
    "string_too_long": "at most {max_length} characters",
    "string_too_short": "{min_length} or more characters",
    "string_type": "a str",
    "string_unicode": "a str of valid Unicode",
    "too_short": "{min_length} or more entries",
    "tuple_type": "a list or tuple",
    "unexpected_keyword_argument": "no field of this name",
}

# What pydantic puts into a path to name the member of a union that it tried.
_TAGS = frozenset({"bool", "constrained-str", "float", "int", "str", "ImagePart", "TextPart"})


def input_error(kind: type[BaseModel], error: ValidationError) -> InputError:
    """Turn pydantic's report on a record of `kind` into an `InputError` that names each field."""
    name = kind.__name__.partition("[")[0]
    first, *rest = _merge([_Problem(kind, name, details) for details in error.errors(include_url=False)])
    also = "".join(f"; also {problem.where}: {problem.expected}" for problem in rest[:_MORE])
    if len(rest) > _MORE:
        also += f"; and {len(rest) - _MORE} more"
    return InputError(
        f"{first.where} is not valid{first.cause}",
        expected=first.expected + also,
        got=first.got,
        blame=f"the value given for {first.where}",
        hint=first.hint or f"correct it, or read help({_home(kind)}.{name})",
    )


def _home(kind: type[BaseModel]) -> str:
    return "metier_contracts" if kind.__module__.startswith("metier_contracts.") else kind.__module__


def _merge(problems: Sequence[_Problem]) -> list[_Problem]:
    """Join what the members of a union expected of one value; leave out a whole of which a part is at fault.

    The whole is "too short" because its entries were refused, or no str because it is a list.
    """
    merged: dict[str, _Problem] = {}
    for problem in problems:
        known = merged.setdefault(problem.where, problem)
        if problem.expected not in known.expected:
            known.expected += f", or {problem.expected}"
    wholes = {where[: step.start()] for where in merged for step in re.finditer(r"[.\[]", where)}
    return [problem for where, problem in merged.items() if where not in wholes]


class _Problem:
    def __init__(self, kind: type[BaseModel], name: str, details: Any) -> None:
        context = details.get("ctx", {})
        cause = context.get("error")
        self.where = name + _path(details["loc"])
        self.cause = ""
        self.expected = _expected(details, context)
        self.got = shown(details["input"])
        self.hint: str | None = None
        if details["type"] == "missing":
            self.got = _given(details["input"])
        elif details["type"] == "extra_forbidden" and (record := _record_at(kind, details["loc"][:-1])) is not None:
            for near in get_close_matches(str(details["loc"][-1]), record.model_fields, 1):
                self.expected += f", perhaps {near!r}"
            self.hint = f"the fields of {record.__name__.partition('[')[0]} are {', '.join(record.model_fields)}"
        elif details["type"] == "is_instance_of":
            self.hint = "make it a list: list(...)"
        elif isinstance(cause, Refusal | InputError):
            self._take(cause)
        if len(self.expected) > _EXPECTED:
            self.expected = f"{self.expected[:_EXPECTED]}..."

    def _take(self, cause: Refusal | InputError) -> None:
        self.expected = cause.expected or "a value that can be used"
        self.got = cause.got or self.got
        self.hint = cause.hint
        if isinstance(cause, Refusal) and cause.field is not None:
            self.where += f".{cause.field}"
        # An error of a record within this one names a field that `where` names already.
        if isinstance(cause, InputError) and not cause.summary.endswith(" is not valid"):
            self.cause = f": {cause.summary}"


def _record_at(kind: Any, steps: Sequence[str | int]) -> type[BaseModel] | None:
    """Return the class of the record to which a path leads from `kind`; None where it may be one of several."""
    for step in steps:
        # A position or a key has no annotation of its own: what it leads to is among the arguments of the whole.
        fields = (one.model_fields.get(str(step)) for one in _records(kind))
        kind = next((field.annotation for field in fields if field is not None), kind)
    records = _records(kind)
    return records[0] if len(records) == 1 else None


def _records(shape: Any) -> list[type[BaseModel]]:
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        return [shape]
    return [record for argument in get_args(shape) for record in _records(argument)]


def _path(steps: Sequence[str | int]) -> str:
    text = ""
    before: str | int | None = None
    for step in steps:
        # A sequence given for an ExampleSet stands in its one field, which the caller did not write.
        if step == before or step in _TAGS or (isinstance(step, str) and "[" in step):
            continue
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
        before = step
    return text


def _expected(details: Any, context: Mapping[str, Any]) -> str:
    if details["type"] == "is_instance_of" and context.get("class") == "Sequence":
        return "a list or tuple"
    if details["type"] in _WORDS:
        return _WORDS[details["type"]].format_map(context)
    return str(details["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")


def _given(record: Any) -> str:
    names = ", ".join(map(str, record)) if isinstance(record, Mapping) else ""
    return f"nothing; given: {names}" if names else "nothing"
