"""The loader `openai`: models behind an API of OpenAI's form (chat completions), by OpenAI's client."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from metier_contracts import Generate, Generation, GenerationChunk, Message, Model, ModelCard, Placement, TextPart
from metier_contracts.authoring import read_options
from metier_contracts.tasks.generate import FinishReason
from pydantic import BaseModel, TypeAdapter

from metier_llm.remote.endpoint import Endpoint, http_client
from metier_llm.remote.failures import BrokenAnswer, BrokenOff
from metier_llm.remote.likelihoods import Token
from metier_llm.remote.model import RemoteModel
from metier_llm.remote.options import OpenAIOptions
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

_FINISHES: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}


def load(card: ModelCard, placement: Placement) -> Model:
    """Return the model behind the card's endpoint; nothing is sent for it."""
    options = read_options(OpenAIOptions, card)
    endpoint = Endpoint.of(card, options)
    return RemoteModel(card, endpoint, options, OpenAIChat(endpoint, options))


class _Function(BaseModel):
    name: str | None = None
    arguments: str | None = None


class _Call(BaseModel):
    index: int | None = None
    id: str | None = None
    function: _Function = _Function()


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None


class _Likely(BaseModel):
    token: str
    logprob: float


class _Token(_Likely):
    top_logprobs: list[_Likely] | None = None

    def read(self) -> Token:
        return Token(self.token, self.logprob, {other.token: other.logprob for other in self.top_logprobs or ()})


class _Logprobs(BaseModel):
    content: list[_Token] | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None


class _PieceOfChoice(BaseModel):
    delta: _Message | None = None
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: int
    completion_tokens: int


class _Answer(BaseModel):
    choices: list[_Choice]
    usage: _Usage | None = None


class _Piece(BaseModel):
    choices: list[_PieceOfChoice] = []
    usage: _Usage | None = None


_ANSWER, _PIECE = TypeAdapter(_Answer), TypeAdapter(_Piece)


class OpenAIChat:
    """Chat completions. `top_k`, which the protocol lacks, is sent beside it to servers that take it."""

    def __init__(self, endpoint: Endpoint, options: OpenAIOptions) -> None:
        openai = client_package("openai", "openai>=3", endpoint.card)
        self._endpoint = endpoint
        self._options = options
        most = options.top_logprobs
        self.likelihoods: Call = {"logprobs": True, "top_logprobs": most} if most else {}
        http = http_client(endpoint, options, "authorization", "Bearer {key}")
        # The key is put in by the HTTP client; without one here, this client would look for its own variable.
        self._client = openai.AsyncOpenAI(api_key="-", base_url=endpoint.url, max_retries=0, http_client=http)

    def call(self, request: Generate, seed: int | None) -> Call:
        """Return the arguments of `chat.completions.create`."""
        fields = sampling_fields(request, seed, self._endpoint, self._options)
        top_k = fields.pop("top_k", None)
        call: dict[str, Any] = {
            "model": self._endpoint.model,
            "messages": [_turn(message) for message in request.messages],
            self._options.max_tokens_field: request.sampling.max_tokens,
            **fields,
        }
        if request.tools:
            call["tools"] = [
                {
                    "type": "function",
                    "function": {"name": t.name, "description": t.description, "parameters": dict(t.parameters)},
                }
                for t in request.tools
            ]
        if request.json_schema is not None:
            schema = {"name": "answer", "schema": dict(request.json_schema), "strict": self._options.strict_schema}
            call["response_format"] = {"type": "json_schema", "json_schema": schema}
        if top_k is not None:
            call["extra_body"] = {"top_k": top_k}
        return call

    async def ask(self, call: Call) -> Answer:
        """Return the first choice."""
        answer: _Answer = seen(_ANSWER, await self._client.chat.completions.create(**call))
        if not answer.choices:
            raise BrokenAnswer("no choices")
        choice = answer.choices[0]
        end = _End(choice.finish_reason, choice.message)
        usage = answer.usage
        generation = Generation(
            text=choice.message.content or end.refusal,
            tool_calls=end.calls,
            finish_reason=end.reason,
            input_tokens=usage.prompt_tokens if usage else 0,
            output_tokens=usage.completion_tokens if usage else 0,
            tokens_known=usage is not None,
        )
        told = choice.logprobs.content if choice.logprobs else None
        return Answer(generation, [token.read() for token in told or ()])

    async def open(self, call: Call) -> Any:
        """Return the client's stream."""
        more = {"stream_options": {"include_usage": True}} if self._options.stream_usage else {}
        return await self._client.chat.completions.create(**call, **more, stream=True)

    async def read(self, stream: Any) -> AsyncIterator[GenerationChunk]:
        """Yield the texts as they come; tool calls, which come in shreds, at the end."""
        gathered, usage = _Gathered(), None
        async with stream:
            async for event in stream:
                piece: _Piece = seen(_PIECE, event)
                usage = piece.usage or usage
                if text := gathered.add(piece.choices):
                    yield GenerationChunk(text=text)
        end = gathered.end()
        yield GenerationChunk(
            text=end.refusal,
            tool_calls=end.calls,
            finish_reason=end.reason,
            input_tokens=usage.prompt_tokens if usage else None,
            output_tokens=usage.completion_tokens if usage else None,
        )

    async def close(self) -> None:
        """Close the client."""
        await self._client.close()


class _End:
    """How an answer ended: its calls, and why."""

    def __init__(self, finish: str | None, message: _Message) -> None:
        if finish not in _FINISHES:
            raise BrokenAnswer(f"the finish reason {finish!r}")
        self.reason = _FINISHES[finish]
        self.refusal = message.refusal or ""
        calls = message.tool_calls or []
        # Cut off by max_tokens, the last call is in pieces, and which is the last nobody can tell.
        self.calls = () if self.reason == "length" else tuple(map(_read_call, range(len(calls)), calls))
        if self.refusal:
            self.reason = "content_filter"
        elif self.calls and self.reason == "stop":  # as some servers say
            self.reason = "tool_calls"


class _Gathered:
    """What a stream has brought so far, apart from its text."""

    def __init__(self) -> None:
        self._calls: dict[int, _Call] = {}
        self._refusal = ""
        self._finish: str | None = None

    def add(self, choices: Sequence[_PieceOfChoice]) -> str:
        """Add a piece, and return its text."""
        if not choices:
            return ""
        choice, delta = choices[0], choices[0].delta or _Message()
        self._finish = choice.finish_reason or self._finish
        self._refusal += delta.refusal or ""
        for shred in delta.tool_calls or []:
            place = len(self._calls) if shred.index is None else shred.index
            call = self._calls.setdefault(place, _Call(function=_Function(arguments="")))
            call.id = shred.id or call.id
            call.function.name = shred.function.name or call.function.name
            call.function.arguments = (call.function.arguments or "") + (shred.function.arguments or "")
        return delta.content or ""

    def end(self) -> _End:
        """Return how it ended, once it has."""
        if self._finish is None:
            raise BrokenOff("the stream ended without a finish reason")
        calls = [call for _, call in sorted(self._calls.items())]
        return _End(self._finish, _Message(refusal=self._refusal, tool_calls=calls))


def _read_call(number: int, call: _Call) -> Any:
    if not call.function.name:
        raise BrokenAnswer("a tool call without a name")
    return tool_call(number, call.id, call.function.name, call.function.arguments or "")


def _turn(message: Message) -> dict[str, Any]:
    turn: dict[str, Any] = {"role": message.role, "content": _content(message)}
    if message.role == "tool":
        turn["tool_call_id"] = answered_call(message)
    if message.tool_calls:
        turn["content"] = turn["content"] or None
        turn["tool_calls"] = [
            {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": json.dumps(dict(c.arguments))}}
            for c in message.tool_calls
        ]
    return turn


def _content(message: Message) -> str | list[dict[str, Any]]:
    if isinstance(message.content, str):
        return message.content
    return [
        {"type": "text", "text": part.text}
        if isinstance(part, TextPart)
        else {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture(part)}"}}
        for part in message.content
    ]
