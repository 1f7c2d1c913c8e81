"""The corpus of schemas: valid, satisfiable, distinct, and as the table of its keywords says."""

from __future__ import annotations

import json

import pytest
from jsonschema.validators import Draft202012Validator, validator_for
from metier_contracts import Generate

from benchmarks.evaluate.schemas import PATH, Case, corpus, coverage, keywords

CASES = corpus()
HARD = {
    *("not", "if", "then", "else", "uniqueItems", "dependentSchemas", "dependentRequired", "dependencies", "contains"),
    *("minContains", "maxContains", "patternProperties", "propertyNames", "unevaluatedProperties", "unevaluatedItems"),
    *("multipleOf", "format", "oneOf", "anyOf", "allOf", "$ref", "$dynamicRef", "prefixItems", "additionalItems"),
}


def test_there_are_200_and_no_two_are_equal() -> None:
    assert len(CASES) == 200
    assert len({case.name for case in CASES}) == 200
    assert len({json.dumps(case.schema, sort_keys=True) for case in CASES}) == 200


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_witness_is_valid(case: Case) -> None:
    kind = validator_for(case.schema, default=Draft202012Validator)
    kind.check_schema(case.schema)
    assert kind(case.schema).is_valid(case.witness)
    assert Generate(messages=case.prompt, json_schema=case.schema).json_schema == case.schema


def test_the_committed_coverage_is_what_the_schemas_hold() -> None:
    committed = json.loads(PATH.read_text(encoding="utf-8"))["coverage"]
    assert committed == coverage([case.schema for case in CASES])
    assert set(committed) >= HARD


def test_names_of_members_are_no_keywords() -> None:
    schema = {"properties": {"type": {"minimum": 1}}, "const": {"maximum": 2}, "not": {"items": [{"pattern": "x"}]}}
    assert sorted(keywords(schema)) == ["const", "items", "minimum", "not", "pattern", "properties"]
