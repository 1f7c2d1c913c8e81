"""The JSON Schemas of `schemas.json`: 200 of our own, from trivial to hard, each with an instruction and a witness."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_name("schemas.json")
# What stands in these is a schema for each name, a list of schemas, or data.
_NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"})
_DATA = frozenset({"const", "enum", "default", "examples", "required", "dependentRequired", "type"})


@dataclass(frozen=True)
class Case:
    """A schema, what a model is asked for, and a value that is valid."""

    name: str
    prompt: str
    schema: Mapping[str, Any]
    witness: Any


def corpus() -> Sequence[Case]:
    """Return every case."""
    return [Case(**case) for case in json.loads(PATH.read_text(encoding="utf-8"))["schemas"]]


def coverage(schemas: Sequence[Any]) -> dict[str, int]:
    """Return how many of the schemas hold each keyword, the most frequent first."""
    counts = Counter(word for schema in schemas for word in set(keywords(schema)))
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def keywords(schema: Any) -> Iterator[str]:
    """Yield the keywords of a schema and of the schemas within."""
    if isinstance(schema, bool):
        yield str(schema).lower()
    elif isinstance(schema, list):
        for one in schema:
            yield from keywords(one)
    elif isinstance(schema, dict):
        for word, value in schema.items():
            yield word
            if word in _NAMED:
                for one in value.values():
                    yield from keywords(one) if isinstance(one, dict | bool) else ()
            elif word not in _DATA and isinstance(value, dict | list | bool) and not _flag(word):
                yield from keywords(value)


def _flag(word: str) -> bool:
    return word in {"uniqueItems", "exclusiveMinimum", "exclusiveMaximum"}
