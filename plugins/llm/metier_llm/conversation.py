"""`ChatTemplate`: messages and tools, written as the model was trained to read them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from metier_contracts import InputError, Message, Tool, ToolCall

from metier_llm.constraints.calls import instructions, written

_SCHEMA = "Answer with JSON alone, valid against this JSON Schema:\n{schema}"


class ChatTemplate:
    """Turns a conversation into the model's tokens.

    Args:
        tokenizer: of transformers.
        template: a Jinja template in place of the tokenizer's own. Where there is neither, as with models that were
            not trained on conversations, the texts are joined by empty lines.
    """

    def __init__(self, tokenizer: Any, template: str | None = None) -> None:
        self._tokenizer = tokenizer
        self._template = template or tokenizer.chat_template
        source = str(self._template or "")
        self._knows_tools = "tools" in source
        self._knows_calls = "tool_calls" in source

    def encode(
        self, messages: Sequence[Message], tools: Sequence[Tool] = (), schema: Mapping[str, Any] | None = None
    ) -> list[int]:
        """Return the tokens of a prompt that the model's own turn follows.

        Raises:
            InputError: the template refuses the messages, for example two of one role in a row.
        """
        told = [] if schema is None else [_SCHEMA.format(schema=json.dumps(dict(schema), ensure_ascii=False))]
        if tools and not self._knows_tools:
            told.append(instructions(tools))
        turns = _told([self._turn(message) for message in messages], told)
        if not self._template:
            return list(self._tokenizer.encode("\n\n".join(turn["content"] for turn in turns)))
        try:
            text = self._tokenizer.apply_chat_template(
                turns,
                tools=[_function(tool) for tool in tools] if tools and self._knows_tools else None,
                chat_template=self._template,
                add_generation_prompt=True,
                tokenize=False,
            )
        except Exception as error:
            raise InputError(
                "the model's chat template refuses the messages",
                expected="turns as the template takes them: mostly user and assistant in turn",
                got=f"{[message.role for message in messages]}: {error}",
                blame="messages of the request",
            ) from error
        return list(self._tokenizer.encode(text, add_special_tokens=False))

    def _turn(self, message: Message) -> dict[str, Any]:
        turn: dict[str, Any] = {"role": message.role, "content": message.text}
        if message.tool_calls and self._knows_calls:
            turn["tool_calls"] = [_called(call) for call in message.tool_calls]
        else:
            turn["content"] += "".join(map(written, message.tool_calls))
        if message.tool_call_id is not None:
            turn["tool_call_id"] = message.tool_call_id
        return turn


def _told(turns: list[dict[str, Any]], told: Sequence[str]) -> list[dict[str, Any]]:
    """Add instructions to the system's turn, which is made where there is none."""
    if not told:
        return turns
    if turns[0]["role"] == "system":
        return [{**turns[0], "content": "\n\n".join([turns[0]["content"], *told])}, *turns[1:]]
    return [{"role": "system", "content": "\n\n".join(told)}, *turns]


def _called(call: ToolCall) -> dict[str, Any]:
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": dict(call.arguments)},
    }


def _function(tool: Tool) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)},
    }
