"""Responses of tasks that plugins bring, as people read them: a text as it is, records as a table, all else by name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from metier_contracts import Contract, Response

_LONGEST = 200


@dataclass(frozen=True)
class Table:
    """The records of one field."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def parts(response: Response) -> Iterator[str | Table]:
    """Yield what is printed of each field, in their order; provenance is left to the caller."""
    for name in type(response).model_fields:
        value = getattr(response, name)
        if name == "provenance" or value is None:
            continue
        if name == "text" and isinstance(value, str):
            yield value
        elif isinstance(value, tuple | list) and value and all(isinstance(one, Contract) for one in value):
            columns = list(type(value[0]).model_fields)
            yield Table(columns, [[_cell(getattr(record, column)) for column in columns] for record in value])
        else:
            yield f"{name}: {_cell(value)}"


def _cell(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    if isinstance(value, np.ndarray):
        return _cell(value.tolist()) if value.size <= _LONGEST else f"{value.dtype} {list(value.shape)}"
    if isinstance(value, tuple | list) and all(isinstance(one, int | float | str) for one in value):
        return " ".join(map(_cell, value))
    text = value if isinstance(value, str) else _as_json(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _as_json(value: Any) -> str:
    if isinstance(value, Contract):
        return value.to_json()
    return json.dumps(value, default=str, ensure_ascii=False)
