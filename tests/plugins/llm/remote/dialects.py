"""What servers of the three protocols say, in the wire forms that the installed clients read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

READ, WRITTEN = USED = 7, 3
SUM = {"name": "add", "arguments": {"a": 1, "b": 2}}


class Dialect(Protocol):
    """One protocol's words. `loader`: its name in cards; `base`: what stands behind the host in a source."""

    loader: str
    base: str
    header: str

    def whole(
        self, text: str, *, ends: str = "stop", calls: bool = False, used: tuple[int, int] | None = USED
    ) -> dict[str, Any]: ...

    def pieces(self, texts: Sequence[str], *, calls: bool = False, counted: bool = True) -> list[str]: ...

    def error(self, message: str) -> dict[str, Any]: ...


def _data(value: object) -> str:
    return f"data: {json.dumps(value)}"


@dataclass(frozen=True)
class OpenAI:
    loader: str = "openai"
    base: str = "/v1"
    header: str = "authorization"

    def whole(
        self, text: str, *, ends: str = "stop", calls: bool = False, used: tuple[int, int] | None = USED
    ) -> dict[str, Any]:
        finish = {"stop": "stop", "length": "length", "filter": "content_filter"}[ends]
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if calls:
            finish = "tool_calls"
            message["tool_calls"] = [
                {"id": "c1", "type": "function", "function": {"name": "add", "arguments": json.dumps(SUM["arguments"])}}
            ]
        answer = self._record("chat.completion", {"index": 0, "message": message, "finish_reason": finish})
        return {**answer, "usage": self._usage(*used)} if used else answer

    def pieces(self, texts: Sequence[str], *, calls: bool = False, counted: bool = True) -> list[str]:
        deltas: list[tuple[dict[str, Any], str | None]] = [({"role": "assistant", "content": ""}, None)]
        deltas += [({"content": text}, None) for text in texts]
        if calls:
            deltas.append(
                ({"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "add", "arguments": ""}}]}, None)
            )
            for shred in ('{"a": 1, ', '"b": 2}'):
                deltas.append(({"tool_calls": [{"index": 0, "function": {"arguments": shred}}]}, None))
        deltas.append(({}, "tool_calls" if calls else "stop"))
        sent = [
            self._record("chat.completion.chunk", {"index": 0, "delta": delta, "finish_reason": finish})
            for delta, finish in deltas
        ]
        if counted:
            sent.append({**self._record("chat.completion.chunk"), "usage": self._usage(*USED)})
        return [*map(_data, sent), "data: [DONE]"]

    def error(self, message: str) -> dict[str, Any]:
        return {"error": {"message": message, "type": "some_error", "param": None, "code": None}}

    def _record(self, kind: str, *choices: dict[str, Any]) -> dict[str, Any]:
        return {"id": "1", "object": kind, "created": 1, "model": "m", "choices": list(choices)}

    def _usage(self, read: int, written: int) -> dict[str, int]:
        return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


@dataclass(frozen=True)
class Anthropic:
    loader: str = "anthropic"
    base: str = ""
    header: str = "x-api-key"

    def whole(
        self, text: str, *, ends: str = "stop", calls: bool = False, used: tuple[int, int] | None = USED
    ) -> dict[str, Any]:
        stop = {"stop": "end_turn", "length": "max_tokens", "filter": "refusal"}[ends]
        content: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
        if calls:
            content.append({"type": "tool_use", "id": "c1", "name": "add", "input": SUM["arguments"]})
        message = {**self._message(), "content": content, "stop_reason": "tool_use" if calls else stop}
        return {**message, "usage": {"input_tokens": used[0], "output_tokens": used[1]}} if used else message

    def pieces(self, texts: Sequence[str], *, calls: bool = False, counted: bool = True) -> list[str]:
        # What is read from the provider's cache counts as well.
        usage = {"usage": {"input_tokens": READ - 2, "cache_read_input_tokens": 2, "output_tokens": 1}}
        start = {**self._message(), **(usage if counted else {})}
        sent: list[dict[str, Any]] = [{"type": "message_start", "message": start}]
        sent += self._block(0, {"type": "text", "text": ""}, [{"type": "text_delta", "text": text} for text in texts])
        if calls:
            shreds = [{"type": "input_json_delta", "partial_json": shred} for shred in ('{"a": 1, ', '"b": 2}')]
            sent += self._block(1, {"type": "tool_use", "id": "c1", "name": "add", "input": {}}, shreds)
        end: dict[str, Any] = {"type": "message_delta", "delta": {"stop_reason": "tool_use" if calls else "end_turn"}}
        sent += [{**end, "usage": {"output_tokens": WRITTEN}} if counted else end, {"type": "message_stop"}]
        return [f"event: {event['type']}\n{_data(event)}" for event in sent]

    def error(self, message: str) -> dict[str, Any]:
        return {"type": "error", "error": {"type": "some_error", "message": message}}

    def _message(self) -> dict[str, Any]:
        return {"id": "1", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": None}

    def _block(self, index: int, block: dict[str, Any], deltas: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            {"type": "content_block_start", "index": index, "content_block": block},
            *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
            {"type": "content_block_stop", "index": index},
        ]


@dataclass(frozen=True)
class Gemini:
    loader: str = "gemini"
    base: str = ""
    header: str = "x-goog-api-key"

    def whole(
        self, text: str, *, ends: str = "stop", calls: bool = False, used: tuple[int, int] | None = USED
    ) -> dict[str, Any]:
        finish = {"stop": "STOP", "length": "MAX_TOKENS", "filter": "SAFETY"}[ends]
        parts: list[dict[str, Any]] = [{"text": text}] if text else []
        if calls:
            parts.append({"functionCall": {"id": "c1", "name": "add", "args": SUM["arguments"]}})
        answer: dict[str, Any] = {
            "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": finish, "index": 0}]
        }
        return {**answer, "usageMetadata": self._usage(*used)} if used else answer

    def pieces(self, texts: Sequence[str], *, calls: bool = False, counted: bool = True) -> list[str]:
        sent: list[dict[str, Any]] = [
            {"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}]} for text in texts
        ]
        return [*map(_data, sent), _data(self.whole("", calls=calls, used=USED if counted else None))]

    def error(self, message: str) -> dict[str, Any]:
        return {"error": {"code": 400, "message": message, "status": "SOME_STATUS"}}

    def _usage(self, read: int, written: int) -> dict[str, int]:
        # Thoughts are charged as output.
        return {"promptTokenCount": read, "candidatesTokenCount": written - 1, "thoughtsTokenCount": 1}


DIALECTS: Sequence[Dialect] = (OpenAI(), Anthropic(), Gemini())
