"""`Turn`: one generation, from the request to its answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from metier_contracts import Generate, Generation, GenerationChunk, ToolCall
from metier_contracts.tasks.generate import FinishReason

from metier_llm.constraints import Matcher
from metier_llm.constraints.calls import OPENING, parse_tool_calls
from metier_llm.engine import Decoding
from metier_llm.sampling import Sampler
from metier_llm.writing import Writer


class Turn:
    """The model's turn in a conversation.

    Args:
        request: what is asked.
        prompt: its tokens.
        most: the most tokens of the answer.
        ends: the tokens that end a turn.
        tokenizer: the tokenizer of `tokenizers`.
        seed: of the draws, where the request names none.
        matcher: what the text must match, or None.
    """

    def __init__(
        self,
        request: Generate,
        prompt: list[int],
        *,
        most: int,
        ends: frozenset[int],
        tokenizer: Any,
        seed: int | None,
        matcher: Matcher | None,
    ) -> None:
        sampling = request.sampling
        self.decoding = Decoding(prompt, most, self._choose, self._take)
        self._ends = ends
        self._matcher = matcher
        self._sampler = Sampler(sampling, sampling.seed if sampling.seed is not None else seed)
        self._writer = Writer(tokenizer, sampling.stop)
        self._calling = bool(request.tools)
        self._finish: FinishReason = "length"
        self._shown = 0

    def _choose(self, logits: torch.Tensor) -> int:
        if self._matcher is not None:
            self._matcher.mask(logits)
        return self._sampler(logits)

    def _take(self, token: int) -> bool:
        if token in self._ends:
            self._finish = "stop"
            return True
        if self._matcher is not None:
            self._matcher.accept(token)
        self._writer.write(token)
        if self._writer.stopped or (self._matcher is not None and self._matcher.finished):
            self._finish = "stop"
            return True
        return False

    def answer(self) -> Generation:
        """Return the answer of a turn that is done; raise its error."""
        self._raise()
        text, calls = self._parts()
        return Generation(
            text=text,
            tool_calls=calls,
            finish_reason="tool_calls" if calls else self._finish,
            input_tokens=len(self.decoding.prompt),
            output_tokens=len(self.decoding.tokens),
        )

    def piece(self) -> Iterable[GenerationChunk]:
        """Yield what has come since the last time, if that is sure to stay."""
        self._raise()
        sure = self._writer.sure
        if self._calling:
            # What might be a call is shown once it is read as one.
            sure = sure[: _before_call(sure)]
        if self._shown < len(sure):
            fresh, self._shown = sure[self._shown :], len(sure)
            yield GenerationChunk(text=fresh)

    def last_piece(self) -> GenerationChunk:
        """Return the rest of a turn that is done, with why it ended and the numbers of tokens."""
        answer = self.answer()
        return GenerationChunk(
            text=answer.text[self._shown :],
            tool_calls=answer.tool_calls,
            finish_reason=answer.finish_reason,
            input_tokens=answer.input_tokens,
            output_tokens=answer.output_tokens,
        )

    def _parts(self) -> tuple[str, tuple[ToolCall, ...]]:
        text = self._writer.text
        return parse_tool_calls(text) if self._calling else (text, ())

    def _raise(self) -> None:
        if self.decoding.error is not None:
            raise self.decoding.error


def _before_call(text: str) -> int:
    """Return where a call begins in the text, or might begin at its end."""
    found = text.find(OPENING)
    if found >= 0:
        return found
    return next(
        (len(text) - size for size in range(len(OPENING) - 1, 0, -1) if text.endswith(OPENING[:size])), len(text)
    )
