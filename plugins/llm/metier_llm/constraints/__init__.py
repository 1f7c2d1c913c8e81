"""Constraints on what a language model writes: JSON of a schema, calls of tools, pieces of a text."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any

from metier_contracts import Tool

from metier_llm.constraints.calls import OPENING, CallMatcher, grammar_of_calls, instructions, parse_tool_calls
from metier_llm.constraints.grammar import Grammar
from metier_llm.constraints.lark import notation
from metier_llm.constraints.matching import GrammarMatcher, Matcher
from metier_llm.constraints.nodes import Fixed, InOrder, Node, priced
from metier_llm.constraints.pieces import grammar_of_pieces
from metier_llm.constraints.problems import too_long
from metier_llm.constraints.tracking import Track, begin
from metier_llm.constraints.vocabulary import Vocabulary

__all__ = ["Constraints", "Matcher", "instructions", "parse_tool_calls"]

_KEPT = 64
_Compiled = tuple[Any, Track]


class Constraints:
    """The constraints of one loaded model.

    Args:
        tokenizer: the model's, a fast one.
        vocabulary: columns of the logits.
        end: tokens that end a turn.
    """

    def __init__(self, tokenizer: Any, vocabulary: int, end: frozenset[int]) -> None:
        self._vocabulary = Vocabulary(tokenizer, vocabulary, end)
        self._compiled: OrderedDict[str, _Compiled] = OrderedDict()
        self._lock = Lock()

    def json_schema(self, schema: Mapping[str, Any], max_tokens: int) -> Matcher:
        """Return a matcher for JSON that is valid against the schema and complete within `max_tokens`.

        Raises:
            UnsupportedError: the schema uses a keyword in a way that text cannot be held to.
            InputError: no JSON is valid, or none is sure to fit into `max_tokens`.
        """
        return self._matcher(json.dumps(schema), lambda: Grammar(schema, self._vocabulary.costs).start, max_tokens)

    def tool_calls(self, tools: Sequence[Tool], max_tokens: int, *, required: bool = False) -> Matcher:
        """Return a matcher for free text in which calls of the tools have arguments that fit.

        A call has the form `<tool_call>{"name":...,"arguments":{...}}</tool_call>`; `parse_tool_calls` reads it. One is
        begun only where the tokens that are left suffice to end it. `required`: nothing but one call is written.
        """
        key = json.dumps([[tool.name, tool.parameters] for tool in tools], default=dict)
        vocabulary = self._vocabulary

        def call() -> Node:
            return grammar_of_calls(tools, vocabulary)

        def begun(left: int) -> GrammarMatcher | None:
            grammar, track = self._kept(key, call)
            return GrammarMatcher(vocabulary, grammar, track, left) if track.cost <= left else None

        if not required:
            return CallMatcher(vocabulary, begun, max_tokens)
        mark = OPENING.encode()
        first = self._matcher(
            f"required {key}", lambda: priced(InOrder((Fixed(mark, vocabulary.costs(mark)), call()))), max_tokens
        )
        return CallMatcher(vocabulary, begun, max_tokens, first)

    def spans(self, text: str, entity_types: Sequence[str], max_tokens: int) -> Matcher:
        """Return a matcher for a JSON list of {"type": one of the types, "text": a piece of the text}.

        Each text comes once; it begins and ends where words do.
        """
        key = json.dumps(["spans", text, list(entity_types)])
        return self._matcher(key, lambda: grammar_of_pieces(text, entity_types, self._vocabulary), max_tokens)

    def _matcher(self, key: str, start: Callable[[], Node], max_tokens: int) -> GrammarMatcher:
        grammar, track = self._kept(key, start)
        if track.cost > max_tokens:
            raise too_long(int(track.cost), max_tokens)
        return GrammarMatcher(self._vocabulary, grammar, track, max_tokens)

    def _kept(self, key: str, start: Callable[[], Node]) -> _Compiled:
        with self._lock:
            if key in self._compiled:
                self._compiled.move_to_end(key)
                return self._compiled[key]
        made = self._compile(start())
        with self._lock:
            self._compiled[key] = made
            while len(self._compiled) > _KEPT:
                self._compiled.popitem(last=False)
        return made

    def _compile(self, start: Node) -> _Compiled:
        from llguidance import LLMatcher

        grammar = LLMatcher(self._vocabulary.native, LLMatcher.grammar_from_lark(notation(start)), log_level=0)
        return grammar, begin(start)
