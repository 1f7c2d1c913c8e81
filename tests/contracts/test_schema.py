"""The JSON Schemas of the tasks describe the wire, and nothing but the wire."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from metier_contracts import TASKS, Contract
from metier_contracts.task import wire_schema

from .samples import EXCHANGES, RECORDS


@pytest.mark.parametrize("name", TASKS)
def test_a_task_exports_valid_schemas(name: str) -> None:
    schemas = TASKS[name].json_schema()
    assert set(schemas) == {"request", "response"} | ({"chunk"} if TASKS[name].chunk else set())
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
        json.dumps(schema)


@pytest.mark.parametrize("name", EXCHANGES)
@pytest.mark.parametrize("part", ["request", "response"])
def test_the_samples_of_a_task_fit_its_schema(name: str, part: str) -> None:
    exchange = EXCHANGES[name]
    validator = Draft202012Validator(exchange.task.json_schema()[part])
    validator.validate(json.loads(getattr(exchange, part).to_json()))


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_every_record_fits_the_schema_of_its_class(record: Contract) -> None:
    schema = wire_schema(type(record))
    Draft202012Validator.check_schema(schema)
    wire = json.loads(record.to_json())
    Draft202012Validator(schema).validate(wire)
    assert Draft202012Validator(schema).is_valid({**wire, "later": 1})


@pytest.mark.parametrize(
    ("task", "broken"),
    [
        ("classify", {"text": 3}),
        ("classify", {"labels": [3]}),
        ("embed", {"texts": "one text"}),
        ("rank", {"query": "q"}),
        ("forecast", {"series": {"values": [1, 2]}, "horizon": 1}),
        ("forecast", {"series": {}, "horizon": 0}),
        ("segment", {"image": {"pixels": [[0]]}}),
        ("generate", {"messages": [{"role": "robot"}]}),
    ],
)
def test_the_schema_refuses_what_is_no_request(task: str, broken: dict[str, Any]) -> None:
    assert not Draft202012Validator(TASKS[task].json_schema()["request"]).is_valid(broken)


def test_array_fields_say_dtype_shape_and_order() -> None:
    schema = TASKS["embed"].json_schema()["response"]["properties"]["vectors"]
    assert schema["description"] == "float32 [N, D], little-endian, rows first"
    assert schema["properties"]["dtype"] == {"const": "float32"}
