"""generate: messages, and the JSON Schemas of answers and tools."""

import socket
from typing import Any

import pytest
from metier_contracts import (
    TASKS,
    Capabilities,
    Generate,
    Generation,
    GenerationChunk,
    ImagePart,
    InputError,
    Message,
    Sampling,
    TextPart,
    Tool,
    ToolCall,
)
from metier_contracts.schemas import invalid

from ..samples.data import IMAGE


def _generation(**fields: Any) -> Generation:
    return Generation(**{"text": "", "finish_reason": "stop", "input_tokens": 1, "output_tokens": 1, **fields})


def _violation(request: Generate, response: Generation) -> Any:
    return TASKS["generate"].violation(request, response, Capabilities())


def test_a_prompt_is_one_message_of_the_user() -> None:
    expected = (Message(role="user", content="hello"),)
    assert Generate(messages="hello").messages == expected
    assert Generate.of("hello").messages == expected
    assert Generate.of("hello", sampling=Sampling(seed=3)).sampling.seed == 3


@pytest.mark.parametrize(
    ("content", "text", "has_image"),
    [
        ("hello", "hello", False),
        ([TextPart(text="a"), TextPart(text="b")], "ab", False),
        ([TextPart(text="a"), ImagePart(image=IMAGE), TextPart(text="b")], "ab", True),
        ([{"text": "a"}, {"image": IMAGE}], "a", True),
        ([{"image": IMAGE.pixels}], "", True),
    ],
)
def test_the_text_of_a_message_is_its_parts_joined(content: Any, text: str, has_image: bool) -> None:
    message = Message(role="user", content=content)
    assert (message.text, message.has_image) == (text, has_image)


@pytest.mark.parametrize("role", ["system", "assistant", "tool"])
def test_only_a_user_must_say_something(role: str) -> None:
    assert Message(role=role).text == ""
    with pytest.raises(InputError, match="content"):
        Message(role="user")


def test_chunks_may_carry_tool_calls() -> None:
    assert TASKS["generate"].chunk is GenerationChunk
    assert GenerationChunk(text="", tool_calls=[ToolCall(id="1", name="t", arguments={})]).tool_calls[0].name == "t"


SCHEMA = {"type": "object", "properties": {"n": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"n": 3}', None),
        ("{}", None),
        ("three", "JSON"),
        ("", "JSON"),
        ("[]", "valid against the schema at $"),
        ('{"n": "three"}', "valid against the schema at $.n"),
    ],
)
def test_a_text_is_held_against_the_schema(text: str, expected: str | None) -> None:
    violation = _violation(Generate(messages="x", json_schema=SCHEMA), _generation(text=text))
    assert (violation and violation.expected) == expected


def test_an_unfinished_text_is_not_held_against_the_schema() -> None:
    request = Generate(messages="x", json_schema=SCHEMA)
    assert _violation(request, _generation(text='{"n": ', finish_reason="length")) is None


@pytest.mark.parametrize(
    "schema", [{}, {"$schema": "http://json-schema.org/draft-07/schema#", "type": "integer"}, SCHEMA]
)
def test_a_usable_schema_is_taken(schema: dict[str, Any]) -> None:
    assert Generate(messages="x", json_schema=schema).json_schema == schema
    assert Tool(name="t", parameters=schema).parameters == schema


def test_a_schema_that_refers_elsewhere_never_opens_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", lambda *_, **__: pytest.fail("a socket was opened"))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("a name was looked up"))
    schema = {"$ref": "https://example.org/schema.json"}
    with pytest.raises(InputError, match="outside itself"):
        Generate(messages="x", json_schema=schema)
    with pytest.raises(Exception, match=r"example\.org"):
        invalid("text", "3", schema)


@pytest.mark.parametrize("arguments", [{"x": object()}, {"x": {1, 2}}])
def test_arguments_that_are_no_json_are_a_violation_at_most(arguments: Any) -> None:
    tool = Tool(name="t", parameters={"type": "object", "properties": {"x": {"type": "integer"}}})
    response = _generation(finish_reason="tool_calls", tool_calls=[ToolCall(id="1", name="t", arguments=arguments)])
    assert _violation(Generate(messages="x", tools=[tool]), response).field == "tool_calls"
