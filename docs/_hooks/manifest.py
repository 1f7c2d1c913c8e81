"""The schema of `metier-plugin.toml`, as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from api import prose
from metier_contracts import Manifest, card, cascade, manifest, semantics
from tables import table

_REF = "#/$defs/"
_FILLED_IN = {"ModelCard": {"plugin"}}  # by the manifest's own name
_MODULES = (manifest, card, cascade, semantics)


def manifest_schema() -> str:
    """Return a section for the manifest and for each table within it: what it means, and its keys."""
    schema = Manifest.model_json_schema()
    parts = {"Manifest": schema, **schema.get("$defs", {})}
    sections = [_section(name, part) for name, part in parts.items() if part.get("type") == "object"]
    return "\n\n".join(sections)


def _section(name: str, part: Mapping[str, Any]) -> str:
    required = {*part.get("required", ())} - _FILLED_IN.get(name, set())
    rows = [(f"`{key}`", _kind(value), _default(key, value, required)) for key, value in part["properties"].items()]
    return "\n\n".join([f"## {name}", prose(_class(name)), table(("key", "holds", "left out"), rows)])


def _class(name: str) -> Any:
    return next(vars(module)[name] for module in _MODULES if name in vars(module))


def _default(key: str, value: Mapping[str, Any], required: set[str]) -> str:
    if key in required:
        return "must be there"
    default = value.get("default")
    return "" if default in (None, "", [], {}) else f"`{str(default).lower() if default in (True, False) else default}`"


def _kind(value: Mapping[str, Any]) -> str:
    """Return what a key holds, in words, with links to the tables within."""
    return " or ".join(dict.fromkeys(_kinds(value)))


def _kinds(value: Mapping[str, Any]) -> Iterator[str]:
    if "$ref" in value:
        name = value["$ref"].removeprefix(_REF)
        yield f"[{name}](#{name.lower()})"
    elif "anyOf" in value:
        for one in value["anyOf"]:
            yield from (kind for kind in _kinds(one) if kind != "null")
    elif "enum" in value or "const" in value:
        yield ", ".join(f"`{one}`" for one in value.get("enum", [value.get("const")]))
    elif value.get("type") == "array":
        yield f"list of: {_kind(value.get('items', {'type': 'any'}))}"
    elif value.get("type") == "object" and isinstance(value.get("additionalProperties"), dict):
        yield f"table of: {_kind(value['additionalProperties'])}"
    elif value.get("type") == "object":
        yield "table"
    else:
        yield f"`{value['pattern']}`" if "pattern" in value else str(value.get("type", "anything"))
