"""One generation under a constraint: which tokens may come next, so that the text is valid and ends in time."""

from __future__ import annotations

from math import inf
from typing import Any, Protocol

import torch
from metier_contracts import InferenceError

from metier_llm.constraints.nodes import Fixed
from metier_llm.constraints.regexes import Regex
from metier_llm.constraints.tracking import Track
from metier_llm.constraints.vocabulary import Vocabulary

_CANDIDATES = (32, 1024)


class Matcher(Protocol):
    """The state of one generation."""

    @property
    def finished(self) -> bool:
        """Whether the text is complete."""

    def mask(self, logits: torch.Tensor) -> None:
        """Set to -inf, in place, the logits float32 [V] of the tokens that may not come next."""

    def accept(self, token: int) -> None:
        """Take note of the token that came."""


class GrammarMatcher:
    """Holds a text to a grammar and to a number of tokens.

    llguidance says which tokens the grammar allows next. Of these, the most probable ones are tried on the track: one
    may come if the text can still be ended with the tokens that are left after it. The next token of the cheapest way
    to the end always may, so that there is a way on until the text is complete.
    """

    def __init__(self, vocabulary: Vocabulary, grammar: Any, track: Track, max_tokens: int) -> None:
        self._vocabulary = vocabulary
        self._grammar = None if grammar.is_error() else grammar.deep_copy()
        self._track = track
        self._left = max_tokens
        self._ended = False

    @property
    def finished(self) -> bool:
        """Whether the text is complete."""
        done = self._track.complete and (not self._track.ways or self._left <= 0)
        return self._ended or done

    def mask(self, logits: torch.Tensor) -> None:
        """Set to -inf, in place, the logits float32 [V] of the tokens that may not come next."""
        if self._grammar is not None:
            logits.masked_fill_(~self._vocabulary.allowed(self._grammar, logits.device), -inf)
        kept = self._tried(logits)
        values = logits[kept].clone()
        logits.fill_(-inf)
        logits[kept] = torch.where(values == -inf, torch.zeros_like(values), values)

    def _tried(self, logits: torch.Tensor) -> list[int]:
        """Return the most probable tokens after which the text can end in time."""
        done = 0
        for number in _CANDIDATES:
            values, tokens = torch.topk(logits, min(number, len(logits)))
            pairs = list(zip(values.tolist(), tokens.tolist(), strict=True))[done:]
            kept = [token for value, token in pairs if value > -inf and self._may(token)]
            if kept:
                return kept
            done = number
        return [self._planned()]

    def _may(self, token: int) -> bool:
        if token in self._vocabulary.end:
            return self._track.complete
        data = self._vocabulary.bytes_of(token)
        track = self._track.after(data) if data else None
        return track is not None and track.cost <= self._left - 1

    def _planned(self) -> int:
        """Return the next token of the cheapest way to the end."""
        if self._track.complete:
            return min(self._vocabulary.end)
        way = self._track.cheapest()
        if isinstance(way.state, Regex):
            return self._vocabulary.token_of(way.state.shortest()[:1])
        assert isinstance(way.node, Fixed)  # noqa: S101  (a way begins at a fixed text or at a lexeme)
        return self._vocabulary.first_of(way.node.text[way.state :])

    def accept(self, token: int) -> None:
        """Take note of the token that came."""
        self._left -= 1
        if token in self._vocabulary.end:
            self._ended = True
            return
        track = self._track.after(self._vocabulary.bytes_of(token))
        if track is None:
            raise InferenceError(
                "A token came that the constraint does not allow.",
                expected="a token whose logit `mask` left",
                got=repr(self._vocabulary.bytes_of(token)),
                blame="the caller of Matcher.accept",
            )
        self._track = track
        self._sift([token])

    def _sift(self, tokens: list[int]) -> None:
        """Move llguidance on. Where it has reached one of its limits, the track goes on alone."""
        if self._grammar is not None and not self._grammar.consume_tokens(tokens):
            self._grammar = None

    def take(self, data: bytes) -> bool:
        """Take bytes that were written already, as the end of an earlier token. Returns whether they are allowed."""
        track = self._track.after(data)
        if track is None or track.cost > self._left:
            return False
        self._track = track
        self._sift(self._vocabulary.native.tokenize_bytes(data))
        return True
