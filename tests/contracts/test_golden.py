"""What peers of this major version send still loads and means the same.

Each folder `golden/MAJOR.MINOR` holds the wire form of every sample and every schema of that minor. When the minor
rises, write the new folder with `PYTHONPATH=contracts python -m tests.contracts.golden.write` and commit it.
"""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from metier_contracts import CONTRACT_VERSION, Image
from metier_contracts._version import is_compatible

from .golden.compare import breaks, contains
from .golden.write import schemas, wire_forms
from .samples import RECORDS

SCHEMAS, WIRE_FORMS = schemas(), wire_forms()
FOLDERS = sorted(path for path in (Path(__file__).parent / "golden").iterdir() if path.name[0].isdigit())


def _load(name: str) -> list[Any]:
    found = []
    for folder in FOLDERS:
        for key, value in json.loads((folder / f"{name}.json").read_text(encoding="utf-8")).items():
            found.append(pytest.param(key, value, id=f"{folder.name}-{key}"))
    return found


def test_this_minor_has_its_golden_files() -> None:
    assert CONTRACT_VERSION in [folder.name for folder in FOLDERS]
    assert all(is_compatible(folder.name) for folder in FOLDERS)


@pytest.mark.parametrize(("name", "wire"), _load("wire"))
def test_a_golden_wire_form_loads_as_the_sample(name: str, wire: Any) -> None:
    assert type(RECORDS[name]).from_json(json.dumps(wire)) == RECORDS[name]


@pytest.mark.parametrize(("name", "wire"), _load("wire"))
def test_the_wire_form_of_today_holds_the_golden_one(name: str, wire: Any) -> None:
    assert contains(_by_pixels(WIRE_FORMS[name]), _by_pixels(wire))


@pytest.mark.parametrize(("name", "schema"), _load("schemas"))
def test_a_minor_adds_optional_fields_and_nothing_else(name: str, schema: Any) -> None:
    assert breaks(SCHEMAS[name], schema) == []


def _by_pixels(wire: Any) -> Any:
    """Put pixels for PNG files, whose bytes vary with Pillow's version."""
    if isinstance(wire, dict) and isinstance(wire.get("pixels"), str):
        return Image.from_json(json.dumps(wire)).pixels.tolist()
    if isinstance(wire, dict):
        return {key: _by_pixels(value) for key, value in wire.items()}
    return [_by_pixels(value) for value in wire] if isinstance(wire, list) else wire


# The comparison itself can fail.

OLD = {
    "type": "object",
    "title": "Old",
    "properties": {
        "a": {"type": "string"},
        "b": {"anyOf": [{"$ref": "#/$defs/B"}, {"type": "null"}], "default": None},
        "c": {"enum": ["x", "y"], "default": "x"},
        "d": {"type": "integer", "minimum": 1},
        "e": {"type": "array", "items": {"$ref": "#/$defs/B"}},
    },
    "required": ["a"],
    "$defs": {"B": {"type": "object", "properties": {"n": {"type": "number"}, "next": {"$ref": "#/$defs/B"}}}},
}


@pytest.mark.parametrize(
    "change",
    [
        lambda new: new["properties"].update(f={"type": "string", "default": ""}),
        lambda new: new["$defs"]["B"]["properties"].update(m={"type": "string", "default": ""}),
        lambda new: new.update(title="New", description="Better words."),
        lambda new: new["$defs"].update(C={"type": "object"}),
        lambda new: new.update(OLD),
    ],
    ids=["a field", "a field of a part", "prose", "a part", "nothing"],
)
def test_these_changes_break_nothing(change: Callable[[Any], Any]) -> None:
    new = copy.deepcopy(OLD)
    change(new)
    assert breaks(new, OLD) == []


@pytest.mark.parametrize(
    ("change", "at"),
    [
        (lambda new: new["properties"].pop("d"), "$.d"),
        (lambda new: new["properties"].update(a={"type": "integer"}), "$.a.type"),
        (lambda new: new["required"].append("d"), "$.required"),
        (lambda new: new["required"].clear(), "$.required"),
        (lambda new: new["properties"]["c"]["enum"].append("z"), "$.c.enum"),
        (lambda new: new["properties"]["c"].update(default="y"), "$.c.default"),
        (lambda new: new["properties"]["c"].pop("default"), "$.c.default"),
        (lambda new: new["properties"]["d"].update(minimum=2), "$.d.minimum"),
        (lambda new: new["properties"]["d"].pop("minimum"), "$.d.minimum"),
        (lambda new: new["properties"]["d"].update(maximum=9), "$.d.maximum"),
        (lambda new: new.update(additionalProperties=False), "$.additionalProperties"),
        (lambda new: new["$defs"]["B"]["properties"].pop("n"), "$.b.anyOf[0].B.n"),
        (lambda new: new["$defs"]["B"].update(required=["n"]), "$.b.anyOf[0].B.required"),
        (lambda new: new["properties"]["b"]["anyOf"].pop(), "$.b.anyOf"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_these_changes_break_peers(change: Callable[[Any], Any], at: str) -> None:
    new = copy.deepcopy(OLD)
    change(new)
    assert [line.partition(": ")[0] for line in breaks(new, OLD)] == [at]


@pytest.mark.parametrize(
    ("now", "holds"),
    [
        ({"a": [1, {"b": 2}], "c": 0}, True),
        ({"a": [1, {"b": 2, "new": 3}], "c": 0, "new": 1}, True),
        ({"a": [1, {"b": 2}, 3], "c": 0}, False),
        ({"a": [1, {"b": 3}], "c": 0}, False),
        ({"a": [1, {}], "c": 0}, False),
        ({"a": [1, {"b": 2}], "c": False}, False),
    ],
)
def test_a_wire_form_holds_another(now: Any, holds: bool) -> None:
    assert contains(now, {"a": [1, {"b": 2}], "c": 0}) is holds
