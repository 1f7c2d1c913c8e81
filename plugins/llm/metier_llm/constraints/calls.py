"""Calls of tools within a text: their written form, the constraint on it, and how they are read."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from math import inf
from typing import Any

import torch
from metier_contracts import Tool, ToolCall

from metier_llm.constraints.grammar import Grammar
from metier_llm.constraints.matching import GrammarMatcher
from metier_llm.constraints.nodes import Fixed, InOrder, Lexeme, Node, OneOf, priced
from metier_llm.constraints.regexes import raw, repeat
from metier_llm.constraints.vocabulary import Vocabulary

OPENING, CLOSING = "<tool_call>", "</tool_call>"
_CALL = re.compile(rf"{OPENING}\s*(.*?)\s*{CLOSING}", re.DOTALL)


def instructions(tools: Sequence[Tool]) -> str:
    """Return what a model is told of its tools where its chat template knows of none."""
    described = [{"name": one.name, "description": one.description, "parameters": one.parameters} for one in tools]
    lines = [json.dumps(one, ensure_ascii=False, default=dict) for one in described]
    return "\n".join(
        [
            "You may call these tools, each given with a JSON Schema of its arguments:",
            *lines,
            f'To call one, write {OPENING}{{"name": "...", "arguments": {{...}}}}{CLOSING}.',
        ]
    )


def written(call: ToolCall) -> str:
    """Return a call as a model writes it."""
    body = json.dumps({"name": call.name, "arguments": dict(call.arguments)}, ensure_ascii=False)
    return f"{OPENING}{body}{CLOSING}"


def parse_tool_calls(text: str) -> tuple[str, tuple[ToolCall, ...]]:
    """Return the text without the calls that are written in it, and the calls; what is no call stays text.

    A body may be one call or a list of them. A call's `arguments` may also be named `parameters`, as some models do.
    """
    calls: list[ToolCall] = []

    def taken(match: re.Match[str]) -> str:
        found = _read(match[1])
        calls.extend(found or ())
        return match[0] if found is None else ""

    rest = _CALL.sub(taken, text)
    return (rest.strip() if calls else text), tuple(map(_named, range(len(calls)), calls))


def _named(place: int, call: ToolCall) -> ToolCall:
    """Return a call with an id that the same text gives again, and another call or place does not."""
    digest = hashlib.sha256(f"{place} {call.to_json()}".encode()).hexdigest()
    return call.replaced(id=f"call_{digest[:12]}")


def _read(body: str) -> list[ToolCall] | None:
    try:
        value = json.loads(body)
    except json.JSONDecodeError:
        return None
    found = [_call(one) for one in (value if isinstance(value, list) else [value])]
    return None if None in found or not found else [call for call in found if call is not None]


def _call(value: Any) -> ToolCall | None:
    if not isinstance(value, dict) or not isinstance(name := value.get("name"), str):
        return None
    arguments = value.get("arguments", value.get("parameters", {}))
    if not isinstance(arguments, dict):
        return None
    return ToolCall(id="", name=name, arguments=arguments)


def grammar_of_calls(tools: Sequence[Tool], vocabulary: Vocabulary) -> Node:
    """Return the grammar of one call, from behind its opening mark to the end of its closing one."""
    line = Lexeme(repeat(raw(b"\n"), 0, 1))

    def fixed(text: str) -> Fixed:
        return Fixed(text.encode(), vocabulary.costs(text.encode()))

    options: list[Node] = []
    for tool in tools:
        arguments = Grammar(tool.parameters, vocabulary.costs, also={"type": "object"}).start
        head = f'{{"name":{json.dumps(tool.name, ensure_ascii=False)},"arguments":'
        options.append(priced(InOrder((fixed(head), arguments, fixed("}")))))
    return priced(InOrder((line, priced(OneOf(options)), line, fixed(CLOSING))))


class CallMatcher:
    """Lets text pass, and holds what follows an opening mark to a call of one of the tools.

    `begun(left)` returns a matcher for the rest of a call that has so many tokens left, None where they are too few.
    `required`: nothing but one call is written.
    """

    def __init__(
        self, vocabulary: Vocabulary, begun: Callable[[int], GrammarMatcher | None], max_tokens: int, first: Any = None
    ) -> None:
        self._vocabulary, self._begun, self._left = vocabulary, begun, max_tokens
        self._call: GrammarMatcher | None = first
        self._required = first is not None
        self._tail = b""
        self._ended = False
        self._closers = [token for token in range(vocabulary.known) if b">" in vocabulary.bytes_of(token)]

    @property
    def finished(self) -> bool:
        """Whether the turn is over."""
        return self._ended or (self._required and self._call is None)

    def mask(self, logits: torch.Tensor) -> None:
        """Set to -inf, in place, the logits float32 [V] of the tokens that may not come next."""
        if self._call is not None:
            self._call.mask(logits)
            return
        for token in self._closers:
            text = self._tail + self._vocabulary.bytes_of(token)
            if OPENING.encode() in text and self._opened(text) is None:
                logits[token] = -inf

    def accept(self, token: int) -> None:
        """Take note of the token that came."""
        self._left -= 1
        if self._call is not None:
            self._call.accept(token)
            self._call = None if self._call.finished else self._call
        elif token in self._vocabulary.end:
            self._ended = True
        else:
            text = self._tail + self._vocabulary.bytes_of(token)
            self._call = self._opened(text, spent=1) if OPENING.encode() in text else None
            self._tail = b"" if self._call else text[-len(OPENING) :]

    def _opened(self, text: bytes, spent: int = 0) -> GrammarMatcher | None:
        """Return the matcher of the call that `text` opens, with what it holds of the call already taken."""
        call = self._begun(self._left - 1 + spent)
        rest = text.partition(OPENING.encode())[2]
        return call if call is not None and call.take(rest) else None
