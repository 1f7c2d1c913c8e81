"""Bad input raises an InputError that its reader can act on, and never pydantic's own error."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from metier_contracts import Classify, Contract, Embed, InputError, Request, Response
from pydantic import ValidationError, model_validator

from .bad_input import BAD_INPUT
from .samples import RECORDS


@pytest.mark.parametrize(("build", "field", "words"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_bad_input_is_explained(build: Callable[[], Any], field: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        build()
    error = caught.value
    assert isinstance(error, ValueError)
    assert field in error.summary
    assert words in str(error)
    assert error.expected
    assert error.got
    assert error.blame
    assert error.hint


@pytest.mark.parametrize(("build", "field", "words"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_the_explanation_is_short_and_our_own(build: Callable[[], Any], field: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        build()
    text = str(caught.value)
    assert len(text) < 800
    assert max(map(len, text.splitlines())) < 500
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    for phrase in (
        "pydantic",
        "Input should",
        "Value error",
        "validation error",
        "array([",
        "after validation",
        " at 0x",
    ):
        assert phrase not in text


BAD_VALUES = [None, True, -1, 3, 2.5, "", "text", "\x00", [], [None], [[1], [2, 3]], {}, {"dtype": "float32"}]


def _mutations(wire: Any) -> Iterator[Any]:
    """Yield `wire` with each part replaced by each bad value, one at a time."""
    yield from BAD_VALUES
    if isinstance(wire, dict):
        for key, value in wire.items():
            yield {other: inner for other, inner in wire.items() if other != key}
            for bad in _mutations(value):
                yield {**wire, key: bad}
    elif isinstance(wire, list) and wire:
        for bad in _mutations(wire[0]):
            yield [bad, *wire[1:]]


def _only_input_errors(load: Callable[[Any], Any], value: Any) -> None:
    error = _input_error(load, value)
    if error is not None:
        assert error.expected
        assert error.got
        assert len(str(error)) < 1000


def _input_error(load: Callable[[Any], Any], value: Any) -> InputError | None:
    try:
        load(value)
    except InputError as error:
        return error
    return None


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_no_other_error_leaks_from_the_wire_or_a_mapping(record: Contract) -> None:
    for broken in _mutations(json.loads(record.to_json())):
        _only_input_errors(type(record).from_json, json.dumps(broken))
        _only_input_errors(type(record).from_mapping, broken)


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_no_other_error_leaks_from_a_constructor(record: Contract) -> None:
    fields = {name: getattr(record, name) for name in type(record).model_fields}
    for name in fields:
        for bad in [*BAD_VALUES, object(), np.zeros(3), np.array("x"), np.array(5.0), {1, 2}, b"\xff", lambda: None]:
            _only_input_errors(lambda given: type(record)(**given), {**fields, name: bad})


NO_RECORDS = ["", "{", "[]", "null", "3", '"text"', b"\xff", '{"a": NaN}', "{}{}", "[" * 9999, "\ud800", None, 3]


@pytest.mark.parametrize("data", NO_RECORDS, ids=lambda data: repr(data)[:20])
def test_no_other_error_leaks_from_what_is_no_record(data: Any) -> None:
    for record in RECORDS.values():
        _only_input_errors(type(record).from_json, data)


class Draw(Request[Response]):
    """A request of somebody else's."""

    task = "draw"

    size: int

    @model_validator(mode="after")
    def _check(self) -> "Draw":
        if self.size % 2:
            raise ValueError("an even size")
        return self


def test_a_plain_value_error_of_a_foreign_task_is_explained_too() -> None:
    with pytest.raises(InputError) as caught:
        Draw(size=3)
    assert caught.value.summary == "Draw is not valid"
    assert caught.value.expected == "an even size"
    assert caught.value.hint == f"correct it, or read help({__name__}.Draw)"


def test_several_mistakes_are_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        Classify(text=3, labels="a", multi_label="perhaps", other=1)
    assert caught.value.summary == "Classify.text is not valid"
    assert "also Classify.labels: a list or tuple" in caught.value.expected
    assert "and 1 more" in caught.value.expected


def test_very_many_mistakes_are_counted() -> None:
    with pytest.raises(InputError, match="and 29997 more") as caught:
        Embed(texts=[""] * 30_000)
    assert len(str(caught.value)) < 800


def test_model_validate_is_pydantics_own_and_ours_are_not() -> None:
    # What the tests above rest on: pydantic's error is no InputError.
    assert not issubclass(ValidationError, InputError)
    with pytest.raises(ValidationError):
        Classify.model_validate({"text": ""})
