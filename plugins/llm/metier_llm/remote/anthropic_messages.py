"""The loader `anthropic`: models behind Anthropic's API (messages), by Anthropic's client."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from metier_contracts import (
    Generate,
    Generation,
    GenerationChunk,
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

from metier_llm.remote.endpoint import Endpoint, http_client
from metier_llm.remote.failures import BrokenAnswer, BrokenOff
from metier_llm.remote.model import RemoteModel
from metier_llm.remote.options import AnthropicOptions
from metier_llm.remote.wire import (
    Answer,
    Call,
    answered_call,
    client_package,
    picture,
    sampling_fields,
    seen,
    tool_call,
)

_FINISHES: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


def load(card: ModelCard, placement: Placement) -> Model:
    """Return the model behind the card's endpoint; nothing is sent for it."""
    options = read_options(AnthropicOptions, card)
    endpoint = Endpoint.of(card, options)
    return RemoteModel(card, endpoint, options, AnthropicMessages(endpoint, options))


class _Block(BaseModel):
    type: str
    text: str = ""
    id: str | None = None
    name: str = ""
    input: Any = None


class _Usage(BaseModel):
    input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    output_tokens: int | None = None

    @property
    def read(self) -> int | None:
        """The tokens of the prompt, those from the provider's cache included."""
        if self.input_tokens is None:
            return None
        return self.input_tokens + (self.cache_creation_input_tokens or 0) + (self.cache_read_input_tokens or 0)


class _Answer(BaseModel):
    content: list[_Block]
    stop_reason: str | None = None
    usage: _Usage | None = None


class _Delta(BaseModel):
    text: str = ""
    partial_json: str = ""
    stop_reason: str | None = None


class _Start(BaseModel):
    usage: _Usage | None = None


class _Event(BaseModel):
    type: str
    index: int = 0
    message: _Start | None = None
    content_block: _Block | None = None
    delta: _Delta | None = None
    usage: _Usage | None = None


_ANSWER, _EVENT = TypeAdapter(_Answer), TypeAdapter(_Event)


class AnthropicMessages:
    """Messages. System messages, wherever they stand, make up the system prompt."""

    def __init__(self, endpoint: Endpoint, options: AnthropicOptions) -> None:
        anthropic = client_package("anthropic", "anthropic>=2", endpoint.card)
        self.likelihoods: Call = {}
        self._endpoint = endpoint
        self._options = options
        http = http_client(endpoint, options, "x-api-key")
        # The key is put in by the HTTP client; without one here, this client would look for its own variables.
        self._client = anthropic.AsyncAnthropic(api_key="-", base_url=endpoint.url, max_retries=0, http_client=http)

    def call(self, request: Generate, seed: int | None) -> Call:
        """Return the arguments of `messages.create`. What its client has no argument for goes in beside."""
        fields = sampling_fields(request, seed, self._endpoint, self._options)
        stop = fields.pop("stop", None)
        system = "\n\n".join(message.text for message in request.messages if message.role == "system")
        call: dict[str, Any] = {
            "model": self._endpoint.model,
            "max_tokens": request.sampling.max_tokens,
            "messages": [_turn(message) for message in request.messages if message.role != "system"],
        }
        if system:
            call["system"] = system
        if stop:
            call["stop_sequences"] = stop
        if fields:
            call["extra_body"] = fields
        if request.tools:
            call["tools"] = [
                {"name": tool.name, "description": tool.description, "input_schema": dict(tool.parameters)}
                for tool in request.tools
            ]
        if request.json_schema is not None:
            call["output_config"] = {"format": {"type": "json_schema", "schema": dict(request.json_schema)}}
        return call

    async def ask(self, call: Call) -> Answer:
        """Return the message."""
        answer: _Answer = seen(_ANSWER, await self._client.messages.create(**call))
        reason = _finish(answer.stop_reason)
        usage = answer.usage or _Usage()
        return Answer(
            Generation(
                text="".join(block.text for block in answer.content if block.type == "text"),
                tool_calls=() if reason == "length" else _calls(answer.content),
                finish_reason=reason,
                input_tokens=usage.read or 0,
                output_tokens=usage.output_tokens or 0,
                tokens_known=usage.read is not None and usage.output_tokens is not None,
            )
        )

    async def open(self, call: Call) -> Any:
        """Return the client's stream."""
        return await self._client.messages.create(**call, stream=True)

    async def read(self, stream: Any) -> AsyncIterator[GenerationChunk]:
        """Yield the texts as they come; tool calls at the end."""
        gathered = _Gathered()
        async with stream:
            async for event in stream:
                if text := gathered.add(seen(_EVENT, event)):
                    yield GenerationChunk(text=text)
        yield gathered.end()

    async def close(self) -> None:
        """Close the client."""
        await self._client.close()


class _Gathered:
    """What a stream has brought so far, apart from its text."""

    def __init__(self) -> None:
        self._blocks: dict[int, _Block] = {}
        self._arguments: dict[int, str] = {}
        self._usage = _Usage()
        self._stop: str | None = None
        self._ended = False

    def add(self, event: _Event) -> str:
        """Add an event, and return its text."""
        text = ""
        for usage in (event.usage, event.message and event.message.usage):
            self._usage = self._usage.model_copy(update=usage.model_dump(exclude_none=True) if usage else None)
        if event.content_block is not None:
            self._blocks[event.index] = event.content_block
            text = event.content_block.text
        if event.delta is not None:
            self._stop = event.delta.stop_reason or self._stop
            self._arguments[event.index] = self._arguments.get(event.index, "") + event.delta.partial_json
            text += event.delta.text
        self._ended = self._ended or event.type == "message_stop"
        return text

    def end(self) -> GenerationChunk:
        """Return the last piece, once the stream has ended as it should."""
        if self._stop is None or not self._ended:
            raise BrokenOff("the stream ended without its last event")
        reason = _finish(self._stop)
        blocks = [self._whole(index, block) for index, block in sorted(self._blocks.items()) if reason != "length"]
        return GenerationChunk(
            text="",
            tool_calls=_calls(blocks),
            finish_reason=reason,
            input_tokens=self._usage.read,
            output_tokens=self._usage.output_tokens,
        )

    def _whole(self, index: int, block: _Block) -> _Block:
        written = self._arguments.get(index)
        return block.model_copy(update={"input": written}) if block.type == "tool_use" and written else block


def _finish(stop: str | None) -> FinishReason:
    if stop is None or stop not in _FINISHES:
        raise BrokenAnswer(f"the stop reason {stop!r}")
    return _FINISHES[stop]


def _calls(blocks: Sequence[_Block]) -> tuple[ToolCall, ...]:
    used = [block for block in blocks if block.type == "tool_use"]
    return tuple(tool_call(number, block.id, block.name, _as_text(block.input)) for number, block in enumerate(used))


def _as_text(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments or {})


def _turn(message: Message) -> dict[str, Any]:
    if message.role == "tool":
        result = {"type": "tool_result", "tool_use_id": answered_call(message), "content": _content(message)}
        return {"role": "user", "content": [result]}
    content = _content(message)
    if not message.tool_calls:
        return {"role": message.role, "content": content}
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) and content else list(content)
    calls = [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": dict(call.arguments)}
        for call in message.tool_calls
    ]
    return {"role": message.role, "content": [*blocks, *calls]}


def _content(message: Message) -> str | list[dict[str, Any]]:
    if isinstance(message.content, str):
        return message.content
    return [
        {"type": "text", "text": part.text}
        if isinstance(part, TextPart)
        else {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": picture(part)}}
        for part in message.content
    ]
