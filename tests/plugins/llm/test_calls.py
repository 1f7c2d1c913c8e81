"""Calls of tools, and pieces of a text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from metier_contracts import InputError, Tool, ToolCall
from metier_contracts.schemas import invalid
from metier_llm.constraints import Constraints, parse_tool_calls
from metier_llm.constraints.calls import written

from tests.plugins.llm.adversaries import Adversary, endless, random, write

TOOLS = (
    Tool(
        name="weather",
        parameters={
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"$ref": "#/$defs/days"}},
            "required": ["city", "days"],
            "$defs": {"days": {"type": "integer", "minimum": 1, "maximum": 9}},
        },
    ),
    Tool(name='say "hi"', parameters={"type": "object", "properties": {"to": {"enum": ["Ana", "Bo"]}}}),
)
TEXT = 'Maria Silva flew from "Lisbon" to São Paulo on 3 May; 東京 is next.\nThe end\\.'


@pytest.fixture(scope="session")
def constraints(tokenizer: Any) -> Constraints:
    """The constraints of SmolLM2."""
    return Constraints(tokenizer, len(tokenizer), frozenset({tokenizer.eos_token_id}))


def fitting(call: ToolCall) -> bool:
    (tool,) = (tool for tool in TOOLS if tool.name == call.name)
    return invalid("arguments", json.dumps(dict(call.arguments)), tool.parameters) is None


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("adversary", [random, endless])
def test_a_call_that_is_required_comes_and_fits(
    constraints: Constraints, tokenizer: Any, adversary: Adversary, seed: int
) -> None:
    matcher = constraints.tool_calls(TOOLS, 80, required=True)
    text, _ = write(matcher, tokenizer, len(tokenizer), adversary, 80, seed)
    rest, (call,) = parse_tool_calls(text)
    assert (rest, fitting(call)) == ("", True)


@pytest.mark.parametrize("seed", range(3))
def test_a_call_within_text_fits(constraints: Constraints, tokenizer: Any, seed: int) -> None:
    matcher = constraints.tool_calls(TOOLS, 80)
    text, _ = write(matcher, tokenizer, len(tokenizer), random, 80, seed, begun="Let me see.\n<tool_call>{")
    rest, calls = parse_tool_calls(text)
    assert rest.startswith("Let me see.")
    assert len(calls) == 1
    assert fitting(calls[0])


def test_a_call_is_not_begun_where_it_would_be_cut(constraints: Constraints, tokenizer: Any) -> None:
    matcher = constraints.tool_calls(TOOLS, 14)
    text, spent = write(matcher, tokenizer, len(tokenizer), random, 14, begun="One moment: <tool_call>")
    assert spent == 14
    assert "<tool_call>" not in text


def test_text_without_a_call_passes(constraints: Constraints, tokenizer: Any) -> None:
    said = "No tool is needed for {this} <b>text</b>."
    text, _ = write(constraints.tool_calls(TOOLS, 40), tokenizer, len(tokenizer), random, 12, begun=said)
    assert text.startswith(said[:20])


def test_a_required_call_needs_room(constraints: Constraints) -> None:
    with pytest.raises(InputError, match="max_tokens"):
        constraints.tool_calls(TOOLS, 3, required=True)


def test_calls_are_read_and_cut_out() -> None:
    one = ToolCall(id="", name="f", arguments={"x": [1, {"y": "é"}]})
    rest, calls = parse_tool_calls(f"First {written(one)} then {written(one)}.")
    assert rest == "First  then ."
    assert [(call.name, call.arguments) for call in calls] == [("f", one.arguments)] * 2
    assert calls[0].id != calls[1].id


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ('[{"name": "a", "arguments": {}}, {"name": "b", "parameters": {"x": 1}}]', ["a", "b"]),
        ('\n{"name": "a"}\n', ["a"]),
        ('{"name": 3}', []),
        ('{"name": "a", "arguments": "x"}', []),
        ("{broken", []),
        ("[]", []),
    ],
)
def test_bodies_of_calls(body: str, names: list[str]) -> None:
    text = f"<tool_call>{body}</tool_call>"
    rest, calls = parse_tool_calls(text)
    assert [call.name for call in calls] == names
    assert rest == ("" if names else text)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("adversary", [random, endless])
def test_pieces_are_of_the_text(constraints: Constraints, tokenizer: Any, adversary: Adversary, seed: int) -> None:
    matcher = constraints.spans(TEXT, ["person", 'odd "type"'], 60)
    entities = json.loads(write(matcher, tokenizer, len(tokenizer), adversary, 60, seed)[0])
    assert all(entity["text"] in TEXT and entity["text"] for entity in entities)
    assert {entity["type"] for entity in entities} <= {"person", 'odd "type"'}
    assert len({entity["text"] for entity in entities}) == len(entities)


def test_any_piece_can_be_written(constraints: Constraints, tokenizer: Any) -> None:
    said = '[{"type":"person","text":"São Paulo"},{"type":"person","text":"\\"Lisbon\\""}]'
    matcher = constraints.spans(TEXT, ["person"], 60)
    assert write(matcher, tokenizer, len(tokenizer), random, 60, begun=said)[0].startswith(said[:-1])


def test_an_empty_text_holds_nothing(constraints: Constraints, tokenizer: Any) -> None:
    assert write(constraints.spans("", ["person"], 9), tokenizer, len(tokenizer), random, 9)[0] == "[]"
