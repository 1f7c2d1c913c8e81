"""The loader `gemini`: models behind Google's Gemini API (generateContent), by Google's client."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import httpx2
from metier_contracts import (
    Generate,
    Generation,
    GenerationChunk,
    InputError,
    Message,
    Model,
    ModelCard,
    Placement,
    TextPart,
    ToolCall,
)
from metier_contracts.authoring import read_options
from metier_contracts.tasks.generate import FinishReason
from pydantic import BaseModel, TypeAdapter

from metier_llm.remote.endpoint import RESPONSES, Endpoint, http_client
from metier_llm.remote.failures import BrokenAnswer, BrokenOff
from metier_llm.remote.model import RemoteModel
from metier_llm.remote.options import GeminiOptions
from metier_llm.remote.wire import Answer, Call, answered_call, client_package, picture, sampling_fields, seen

_API_VERSION = "v1beta"
_FILTERED = ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "IMAGE_SAFETY")
_FINISHES: Mapping[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    **dict.fromkeys(_FILTERED, "content_filter"),
}
_NAMES = {"max_tokens": "max_output_tokens", "stop": "stop_sequences"}


def load(card: ModelCard, placement: Placement) -> Model:
    """Return the model behind the card's endpoint; nothing is sent for it."""
    options = read_options(GeminiOptions, card)
    endpoint = Endpoint.of(card, options)
    return RemoteModel(card, endpoint, options, Gemini(endpoint, options))


class _Function(BaseModel):
    id: str | None = None
    name: str
    args: dict[str, Any] | None = None


class _Part(BaseModel):
    text: str | None = None
    thought: bool | None = None
    function_call: _Function | None = None


class _Content(BaseModel):
    parts: list[_Part] | None = None


class _Candidate(BaseModel):
    content: _Content | None = None
    finish_reason: str | None = None

    @property
    def parts(self) -> list[_Part]:
        """The parts that are the answer, not the thoughts before it."""
        return [part for part in (self.content and self.content.parts) or [] if not part.thought]


class _Usage(BaseModel):
    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None

    @property
    def written(self) -> int | None:
        """The tokens that are charged as output, those of thoughts included."""
        if self.candidates_token_count is None and self.thoughts_token_count is None:
            return None
        return (self.candidates_token_count or 0) + (self.thoughts_token_count or 0)


class _Feedback(BaseModel):
    block_reason: str | None = None


class _Answer(BaseModel):
    candidates: list[_Candidate] | None = None
    prompt_feedback: _Feedback | None = None
    usage_metadata: _Usage | None = None


_ANSWER = TypeAdapter(_Answer)


class Gemini:
    """generateContent. System messages, wherever they stand, make up the system instruction."""

    def __init__(self, endpoint: Endpoint, options: GeminiOptions) -> None:
        genai = client_package("google.genai", "google-genai>=3", endpoint.card)
        self.likelihoods: Call = {}
        self._endpoint = endpoint
        self._options = options
        self._http = http_client(endpoint, options, "x-goog-api-key")
        self._unused = httpx2.Client()  # else the client would make one for its calls that are not asynchronous
        # The key is put in by the HTTP client; without one here, this client would look for its own variables.
        self._client = genai.Client(
            vertexai=False,
            api_key="-",
            http_options={
                "base_url": endpoint.url,
                "api_version": _API_VERSION,
                "httpx_async_client": self._http,
                "httpx_client": self._unused,
            },
        )

    def call(self, request: Generate, seed: int | None) -> Call:
        """Return the arguments of `models.generate_content`."""
        fields = sampling_fields(request, seed, self._endpoint, self._options)
        config: dict[str, Any] = {
            "max_output_tokens": request.sampling.max_tokens,
            "automatic_function_calling": {"disable": True},
            **{_NAMES.get(name, name): value for name, value in fields.items()},
        }
        if system := [{"text": message.text} for message in request.messages if message.role == "system"]:
            config["system_instruction"] = {"parts": system}
        if request.tools:
            declared = [
                {"name": tool.name, "description": tool.description, "parameters_json_schema": dict(tool.parameters)}
                for tool in request.tools
            ]
            config["tools"] = [{"function_declarations": declared}]
        if request.json_schema is not None:
            config["response_mime_type"] = "application/json"
            config["response_json_schema"] = dict(request.json_schema)
        return {"model": self._endpoint.model, "contents": _contents(request.messages), "config": config}

    async def ask(self, call: Call) -> Answer:
        """Return the first candidate."""
        gathered = _Gathered()
        text = gathered.add(seen(_ANSWER, await self._client.aio.models.generate_content(**call)))
        end = gathered.end()
        return Answer(
            Generation(
                text=text,
                tool_calls=end.tool_calls,
                finish_reason=end.finish_reason or "stop",
                input_tokens=end.input_tokens or 0,
                output_tokens=end.output_tokens or 0,
                tokens_known=end.input_tokens is not None and end.output_tokens is not None,
            )
        )

    async def open(self, call: Call) -> Any:
        """Return the client's stream with its first piece, before which the client sends nothing."""
        responses: list[httpx2.Response] = []
        RESPONSES.set(responses)
        events = await self._client.aio.models.generate_content_stream(**call)
        return _Stream(await anext(events, None), events, responses)

    async def read(self, stream: Any) -> AsyncIterator[GenerationChunk]:
        """Yield the texts as they come; tool calls at the end."""
        gathered = _Gathered()
        async with aclosing(stream):
            async for event in stream.pieces():
                if text := gathered.add(seen(_ANSWER, event)):
                    yield GenerationChunk(text=text)
        yield gathered.end()

    async def close(self) -> None:
        """Close the client."""
        self._unused.close()
        await self._http.aclose()


@dataclass(frozen=True)
class _Stream:
    """An open stream: the piece that came with it, those that follow, and the HTTP responses they come from."""

    first: Any
    rest: Any
    responses: Sequence[httpx2.Response]

    async def pieces(self) -> AsyncIterator[Any]:
        """Yield all pieces."""
        if self.first is not None:
            yield self.first
        async for piece in self.rest:
            yield piece

    async def aclose(self) -> None:
        """Close the stream, and the responses, which the client would leave to the garbage collector."""
        await self.rest.aclose()
        for response in self.responses:
            await response.aclose()


class _Gathered:
    """What an answer, whole or in pieces, has brought so far, apart from its text."""

    def __init__(self) -> None:
        self._calls: list[_Function] = []
        self._usage = _Usage()
        self._finish: str | None = None

    def add(self, answer: _Answer) -> str:
        """Add a piece, and return its text."""
        self._usage = answer.usage_metadata or self._usage
        if answer.prompt_feedback is not None and answer.prompt_feedback.block_reason:
            self._finish = "SAFETY"
        if not answer.candidates:
            return ""
        candidate = answer.candidates[0]
        self._finish = candidate.finish_reason or self._finish
        self._calls += [part.function_call for part in candidate.parts if part.function_call is not None]
        return "".join(part.text or "" for part in candidate.parts)

    def end(self) -> GenerationChunk:
        """Return the last piece, once there is a reason for the end."""
        if self._finish is None:
            raise BrokenOff("the answer has no candidate with a finish reason")
        if self._finish not in _FINISHES:
            raise BrokenAnswer(f"the finish reason {self._finish!r}")
        reason = _FINISHES[self._finish]
        if self._calls and reason == "stop":
            reason = "tool_calls"
        return GenerationChunk(
            text="",
            tool_calls=tuple(
                ToolCall(id=call.id or f"call_{number}", name=call.name, arguments=call.args or {})
                for number, call in enumerate(self._calls)
            ),
            finish_reason=reason,
            input_tokens=self._usage.prompt_token_count,
            output_tokens=self._usage.written,
        )


def _contents(messages: Sequence[Message]) -> list[dict[str, Any]]:
    names = {call.id: call.name for message in messages for call in message.tool_calls}
    return [_turn(message, names) for message in messages if message.role != "system"]


def _turn(message: Message, names: Mapping[str, str]) -> dict[str, Any]:
    if message.role == "tool":
        return {"role": "user", "parts": [{"function_response": _result(message, names)}]}
    calls = [{"function_call": {"name": call.name, "args": dict(call.arguments)}} for call in message.tool_calls]
    return {"role": "model" if message.role == "assistant" else "user", "parts": [*_parts(message), *calls]}


def _parts(message: Message) -> list[dict[str, Any]]:
    if isinstance(message.content, str):
        return [{"text": message.content}] if message.content else []
    return [
        {"text": part.text}
        if isinstance(part, TextPart)
        else {"inline_data": {"mime_type": "image/png", "data": picture(part)}}
        for part in message.content
    ]


def _result(message: Message, names: Mapping[str, str]) -> dict[str, Any]:
    """Return a tool's result, which goes by the tool's name and is an object."""
    identity = answered_call(message)
    if identity not in names:
        raise InputError(
            "a tool's message answers a call that no message before it makes",
            expected=f"tool_call_id, one of {', '.join(names) or 'none'}",
            got=repr(identity),
            blame="messages of the request",
        )
    try:
        result = json.loads(message.text)
    except json.JSONDecodeError:
        result = message.text
    return {"name": names[identity], "response": result if isinstance(result, dict) else {"result": result}}
