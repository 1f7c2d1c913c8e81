"""Requests and answers in the wire forms of three protocols. Those of two are imitated from their clients' types."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from metier_contracts import (
    ContractViolation,
    Generate,
    Image,
    ImagePart,
    InputError,
    Message,
    Sampling,
    TextPart,
    Tool,
    ToolCall,
    UnsupportedError,
)

from tests.plugins.llm.remote.conftest import ID, Reach, Serve
from tests.plugins.llm.remote.dialects import READ, WRITTEN, Anthropic, Dialect, Gemini, OpenAI
from tests.support.scripted_server import answer, events

PRICE = {"per_call": 0.5, "per_million_input_tokens": 1e6, "per_million_output_tokens": 2e6}
PRICED = {"price": {**PRICE, "source": "a test", "date": "2026-01-31"}}
COST = 0.5 + READ + 2 * WRITTEN
ADD = Tool(
    name="add",
    description="Add two numbers.",
    parameters={"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}},
)
CALL = ToolCall(id="c1", name="add", arguments={"a": 1, "b": 2})
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
HELLO = Generate.of("Hello")


def test_a_text(dialect: Dialect, serve: Serve, reach: Reach) -> None:
    server = serve(answer(dialect.whole("Hi.")))
    found = reach(dialect, server, fields=PRICED).run(HELLO, model=ID)
    assert (found.text, found.finish_reason, found.tool_calls) == ("Hi.", "stop", ())
    assert (found.input_tokens, found.output_tokens, found.tokens_known) == (READ, WRITTEN, True)
    assert found.provenance is not None
    assert found.provenance.cost == COST
    assert found.provenance.device == server.address.removeprefix("http://")
    assert found.provenance.dtype is None


def test_a_stream(dialect: Dialect, serve: Serve, reach: Reach) -> None:
    texts = ["Hel", "lo ", "there"]
    runtime = reach(dialect, serve(events(dialect.pieces(texts))), fields=PRICED)
    pieces = list(runtime.stream(HELLO, model=ID))
    assert [piece.text for piece in pieces] == [*texts, ""]
    assert [piece.finish_reason for piece in pieces] == [None, None, None, "stop"]
    assert (pieces[-1].input_tokens, pieces[-1].output_tokens) == (READ, WRITTEN)
    assert [piece.provenance and piece.provenance.cost for piece in pieces] == [0, 0, 0, COST]


def test_a_tool_call(dialect: Dialect, serve: Serve, reach: Reach) -> None:
    server = serve(answer(dialect.whole("", calls=True)), events(dialect.pieces(["Well."], calls=True)))
    runtime = reach(dialect, server)
    request = Generate(messages="What is 1 + 2?", tools=(ADD,))
    found = runtime.run(request, model=ID)
    assert (found.text, found.tool_calls, found.finish_reason) == ("", (CALL,), "tool_calls")
    first, last = runtime.stream(request, model=ID)
    assert (first.text, first.tool_calls) == ("Well.", ())
    assert (last.text, last.tool_calls, last.finish_reason) == ("", (CALL,), "tool_calls")


@pytest.mark.parametrize(("ends", "reason"), [("length", "length"), ("filter", "content_filter")])
def test_why_it_ended(dialect: Dialect, ends: str, reason: str, serve: Serve, reach: Reach) -> None:
    found = reach(dialect, serve(answer(dialect.whole("I", ends=ends)))).run(HELLO, model=ID)
    assert (found.text, found.finish_reason) == ("I", reason)


def test_a_server_that_counts_no_tokens(dialect: Dialect, serve: Serve, reach: Reach) -> None:
    server = serve(answer(dialect.whole("Hi.", used=None)), events(dialect.pieces(["Hi."], counted=False)))
    runtime = reach(dialect, server)
    found = runtime.run(HELLO, model=ID)
    assert (found.input_tokens, found.output_tokens, found.tokens_known) == (0, 0, False)
    last = list(runtime.stream(HELLO, model=ID))[-1]
    assert (last.input_tokens, last.output_tokens) == (None, None)


def test_json_that_does_not_fit_the_schema_is_refused_at_the_boundary(
    dialect: Dialect, serve: Serve, reach: Reach
) -> None:
    runtime = reach(dialect, serve(answer(dialect.whole('{"n": 1}')), answer(dialect.whole('{"n": "one"}'))))
    request = Generate(messages="One as JSON.", json_schema=SCHEMA)
    assert runtime.run(request, model=ID).text == '{"n": 1}'
    with pytest.raises(ContractViolation, match="breaks the contract of generate"):
        runtime.run(request, model=ID)


PIXEL = Image(pixels=np.zeros((1, 1, 3), dtype=np.uint8))
TALK = Generate(
    messages=(
        Message(role="system", content="Be brief."),
        Message(role="user", content=(TextPart(text="What is"), ImagePart(image=PIXEL))),
        Message(role="assistant", content="", tool_calls=(CALL,)),
        Message(role="tool", content="3", tool_call_id="c1"),
        Message(role="assistant", content="Three."),
        Message(role="user", content="Sure?"),
    ),
    tools=(ADD,),
    json_schema=SCHEMA,
    sampling=Sampling(max_tokens=9, stop=("END",)),
)


def sent(dialect: Dialect, request: Generate, serve: Serve, reach: Reach, **options: Any) -> Any:
    server = serve(answer(dialect.whole('{"n": 1}')))
    reach(dialect, server, **options).run(request, model=ID)
    return server.asked[0]


def png(part: ImagePart) -> str:
    return str(part.image.model_dump(mode="json")["pixels"])


def test_what_openai_is_sent(serve: Serve, reach: Reach) -> None:
    asked = sent(OpenAI(), TALK, serve, reach)
    assert asked.path == "/v1/chat/completions"
    arguments = '{"a": 1, "b": 2}'
    assert asked.body == {
        "model": "m",
        "max_tokens": 9,
        "temperature": 0.0,
        "stop": ["END"],
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64," + png(ImagePart(image=PIXEL))}},
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "add", "arguments": arguments}}],
            },
            {"role": "tool", "content": "3", "tool_call_id": "c1"},
            {"role": "assistant", "content": "Three."},
            {"role": "user", "content": "Sure?"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {"name": "add", "description": "Add two numbers.", "parameters": dict(ADD.parameters)},
            }
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": SCHEMA, "strict": False},
        },
    }


def test_what_anthropic_is_sent(serve: Serve, reach: Reach) -> None:
    asked = sent(Anthropic(), TALK, serve, reach)
    assert asked.path == "/v1/messages"
    data = png(ImagePart(image=PIXEL))
    assert asked.body == {
        "model": "m",
        "max_tokens": 9,
        "system": "Be brief.",
        "stop_sequences": ["END"],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}},
                ],
            },
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "c1", "name": "add", "input": {"a": 1, "b": 2}}],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "3"}]},
            {"role": "assistant", "content": "Three."},
            {"role": "user", "content": "Sure?"},
        ],
        "tools": [{"name": "add", "description": "Add two numbers.", "input_schema": dict(ADD.parameters)}],
        "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
    }


def test_what_gemini_is_sent(serve: Serve, reach: Reach) -> None:
    # The mixed spelling is the client's own; the API takes either.
    asked = sent(Gemini(), TALK, serve, reach)
    assert asked.path == "/v1beta/models/m:generateContent"
    data = png(ImagePart(image=PIXEL))
    assert asked.body == {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "What is"}, {"inlineData": {"mime_type": "image/png", "data": data}}]},
            {"role": "model", "parts": [{"functionCall": {"name": "add", "args": {"a": 1, "b": 2}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "add", "response": {"result": 3}}}]},
            {"role": "model", "parts": [{"text": "Three."}]},
            {"role": "user", "parts": [{"text": "Sure?"}]},
        ],
        "tools": [
            {
                "functionDeclarations": [
                    {"name": "add", "description": "Add two numbers.", "parameters_json_schema": dict(ADD.parameters)}
                ]
            }
        ],
        "generationConfig": {
            "maxOutputTokens": 9,
            "temperature": 0.0,
            "stopSequences": ["END"],
            "responseMimeType": "application/json",
            "responseJsonSchema": SCHEMA,
        },
    }


SAMPLED = Generate(messages="Hello", sampling=Sampling(temperature=0.5, top_p=0.9, top_k=5, seed=3))


def test_sampling(serve: Serve, reach: Reach) -> None:
    body = sent(OpenAI(), SAMPLED, serve, reach, unsupported=[], max_tokens_field="max_completion_tokens").body
    named = {name: body[name] for name in ("temperature", "top_p", "top_k", "seed", "max_completion_tokens")}
    assert named == {"temperature": 0.5, "top_p": 0.9, "top_k": 5, "seed": 3, "max_completion_tokens": 256}


def test_sampling_of_gemini(serve: Serve, reach: Reach) -> None:
    config = sent(Gemini(), SAMPLED, serve, reach).body["generationConfig"]
    assert config == {"maxOutputTokens": 256, "temperature": 0.5, "topP": 0.9, "topK": 5, "seed": 3}


def test_sampling_of_older_models_of_anthropic(serve: Serve, reach: Reach) -> None:
    request = Generate(messages="Hello", sampling=Sampling(temperature=0.5, top_k=5))
    body = sent(Anthropic(), request, serve, reach, unsupported=["seed"]).body
    assert (body["temperature"], body["top_k"]) == (0.5, 5)


@pytest.mark.parametrize("field", ["temperature", "top_p", "top_k", "stop", "seed"])
def test_what_the_model_does_not_take_is_refused_before_anything_is_sent(
    dialect: Dialect, field: str, serve: Serve, reach: Reach
) -> None:
    values: dict[str, Any] = {"temperature": 0.0, "top_p": 0.5, "top_k": 3, "stop": ("x",), "seed": 1}
    server = serve(answer(dialect.whole("Hi.")))
    runtime = reach(dialect, server, unsupported=[field])
    request = Generate(messages="Hello", sampling=Sampling(**{field: values[field]}))
    with pytest.raises(UnsupportedError, match=f"{ID} takes no {field}"):
        runtime.run(request, model=ID)
    assert server.asked == []
    runtime.run(HELLO, model=ID)
    assert not {field, f"{field}_sequences"} & server.asked[0].body.keys()


def test_a_tool_message_must_say_what_it_answers(dialect: Dialect, serve: Serve, reach: Reach) -> None:
    runtime = reach(dialect, serve(answer(dialect.whole("Hi."))))
    request = Generate(messages=(Message(role="user", content="x"), Message(role="tool", content="3")))
    with pytest.raises(InputError, match="which call it answers"):
        runtime.run(request, model=ID)


def test_a_tool_message_of_gemini_answers_a_call_before_it(serve: Serve, reach: Reach) -> None:
    runtime = reach(Gemini(), serve(answer(Gemini().whole("Hi."))))
    tool = Message(role="tool", content="3", tool_call_id="c9")
    with pytest.raises(InputError, match="no message before it makes"):
        runtime.run(Generate(messages=(Message(role="user", content="x"), tool)), model=ID)
