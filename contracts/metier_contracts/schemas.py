"""JSON Schemas that come from callers and models: is one usable, and does a text fit it?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from metier_contracts.invariants import Violation
from metier_contracts.refusal import Refusal, shown, shown_error


def check_schema(schema: Mapping[str, Any], *, field: str) -> None:
    """Raise `Refusal` unless `schema` is a JSON Schema whose references all lead to a place within it."""
    try:
        problem = _problem(json.dumps(dict(schema)))
    except (TypeError, ValueError) as error:
        problem = shown_error(error)
    if problem is not None:
        raise Refusal("a JSON Schema that refers to nothing outside itself", problem, field=field)


@lru_cache(maxsize=256)  # a check takes a hundred times as long as building the request that carries the schema
def _problem(text: str) -> str | None:
    from jsonschema import SchemaError
    from jsonschema.validators import Draft202012Validator, validator_for
    from referencing import Registry
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    schema = json.loads(text)
    kind = validator_for(schema, default=Draft202012Validator)
    try:
        kind.check_schema(schema)
        resolver = Registry().with_resource("", DRAFT202012.create_resource(schema)).resolver()
        for reference in _references(schema):
            resolver.lookup(reference)
        kind(schema, registry=Registry()).is_valid(None)
    except SchemaError as error:
        return f"{shown(error.instance)} at {error.json_path}"
    except Unresolvable as error:
        return f"a reference to {error.ref!r}"
    except RecursionError:
        return "references that lead in a circle"
    return None


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


def invalid(field: str, text: str, schema: Mapping[str, Any]) -> Violation | None:
    """Return how `text` fails to be JSON that is valid against `schema`, or None."""
    from jsonschema.exceptions import best_match
    from jsonschema.validators import Draft202012Validator, validator_for
    from referencing import Registry

    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        return Violation(field, "JSON", f"{error} in {shown(text)}")
    kind = validator_for(schema, default=Draft202012Validator)
    # Without a registry of its own, jsonschema would fetch a reference to elsewhere.
    worst = best_match(kind(dict(schema), registry=Registry()).iter_errors(value))
    if worst is None:
        return None
    return Violation(field, f"valid against the schema at {worst.json_path}", worst.message[:200])
