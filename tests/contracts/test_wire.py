"""JSON: what is written is read back equal, unknown fields are ignored there and refused by the constructor."""

import json
from typing import Any, Literal

import numpy as np
import pytest
from metier_contracts import Classification, Classify, Contract, ExampleSet, Generate, InputError, Series

from .samples import RECORDS
from .samples.data import EXAMPLES

every_record = pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)


@every_record
def test_json_round_trip(record: Contract) -> None:
    again = type(record).from_json(record.to_json())
    assert again == record
    assert again.to_json() == record.to_json()


@every_record
def test_json_round_trip_from_bytes(record: Contract) -> None:
    assert type(record).from_json(record.to_json().encode()) == record


@every_record
def test_fields_round_trip_through_the_constructor(record: Contract) -> None:
    assert type(record)(**_fields(record)) == record


@every_record
def test_the_constructor_refuses_an_unknown_field(record: Contract) -> None:
    with pytest.raises(InputError, match="surprise"):
        type(record)(**_fields(record), surprise=1)


@every_record
def test_the_wire_ignores_unknown_fields_at_every_depth(record: Contract) -> None:
    assert type(record).from_json(json.dumps(_with_surprises(record, json.loads(record.to_json())))) == record


@every_record
def test_the_wire_refuses_a_missing_required_field(record: Contract) -> None:
    wire = json.loads(record.to_json())
    for name, field in type(record).model_fields.items():
        if field.is_required():
            rest = {key: value for key, value in wire.items() if key != name}
            with pytest.raises(InputError, match=rf"{name}[\s\S]*required"):
                type(record).from_json(json.dumps(rest))


@every_record
def test_the_wire_takes_an_absent_optional_field_as_its_default(record: Contract) -> None:
    wire = json.loads(record.to_json())
    for name, field in type(record).model_fields.items():
        default = field.get_default()
        if (
            not field.is_required()
            and type(getattr(record, name)) is type(default)
            and getattr(record, name) == default
        ):
            del wire[name]
    assert type(record).from_json(json.dumps(wire)) == record


def _fields(record: Contract) -> dict[str, Any]:
    return {name: getattr(record, name) for name in type(record).model_fields}


def _with_surprises(value: Any, wire: Any) -> Any:
    """Add a field to each record within `wire`, the wire form of `value`; mappings of the user stay as they are."""
    if isinstance(value, Contract):
        return {**{key: _with_surprises(getattr(value, key), inner) for key, inner in wire.items()}, "surprise": [1]}
    if isinstance(value, np.ndarray):
        return {**wire, "surprise": 1} if isinstance(wire, dict) else wire
    if isinstance(value, dict):
        return {key: _with_surprises(value[key], inner) for key, inner in wire.items()}
    if isinstance(value, list | tuple):
        return [_with_surprises(*pair) for pair in zip(value, wire, strict=True)]
    return wire


def test_an_unknown_field_within_a_nested_record_is_refused_by_the_constructor() -> None:
    with pytest.raises(InputError, match=r"Generate\.messages\[0\]\.surprise"):
        Generate(messages=[{"role": "user", "content": "x", "surprise": 1}])
    with pytest.raises(InputError, match=r"surprise"):
        Generate.from_mapping({"messages": [{"role": "user", "content": "x", "surprise": 1}]})


Desk = Literal["billing", "outage", "praise"]


def test_parametrised_requests_round_trip() -> None:
    request = Classify[Desk](text="x", examples=EXAMPLES)
    again = Classify[Desk].from_json(request.to_json())
    assert again == request
    assert tuple(again.labels) == ("billing", "outage", "praise")
    assert Classify.from_json(request.to_json()) == request


def test_parametrised_responses_round_trip() -> None:
    response = Classification[Desk](label="outage", scores={"billing": 0.25, "outage": 0.75, "praise": 0.0})
    assert Classification[Desk].from_json(response.to_json()) == response
    assert Classification.from_json(response.to_json()) == response
    with pytest.raises(InputError, match=r"Classification\.label"):
        Classification[Literal["other"]].from_json(response.to_json())


def test_parametrised_example_sets_round_trip() -> None:
    assert ExampleSet[Desk].from_json(EXAMPLES.to_json()) == EXAMPLES
    with pytest.raises(InputError, match=r"examples\[0\]\.label"):
        ExampleSet[Literal["other"]].from_json(EXAMPLES.to_json())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_json_lacks_comes_back(value: float) -> None:
    response = Classification(label="a", scores={"a": value})
    json.loads(response.to_json(), parse_constant=pytest.fail)
    (score,) = Classification.from_json(response.to_json()).scores.values()
    assert np.array_equal(score, value, equal_nan=True)


def test_nan_and_signed_zero_come_back_bit_for_bit() -> None:
    payload = np.array([0x7FF8_0000_DEAD_BEEF, 0x8000_0000_0000_0000], dtype=np.uint64).view(np.float64)
    series = Series(values=payload, missing=True)
    assert Series.from_json(series.to_json()).values.tobytes() == payload.tobytes()


def test_timestamps_come_back_to_the_nanosecond() -> None:
    times = np.array(["1677-09-21T00:12:43.145224194", "2262-04-11T23:47:16.854775807"], dtype="datetime64[ns]")
    series = Series(values=[1, 2], timestamps=times)
    again = Series.from_json(series.to_json())
    assert again.timestamps.dtype == np.dtype("datetime64[ns]")
    assert again.timestamps.tobytes() == times.tobytes()
