"""`Engine`: continuous batching. Sequences join and leave the batch between two steps, each with its own caller.

The engine has no thread. Of the callers that wait, one drives: it runs the steps for all until its own sequences are
done, and hands on to the next. An idle engine so runs in its caller's own thread.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from metier_contracts import CallContext, InferenceError, MetierError

from metier_llm.network import Network

_POLL_SECONDS = 0.02


@dataclass(eq=False, slots=True)
class Decoding:
    """A prompt, and the tokens that follow it.

    Args:
        prompt: the tokens given.
        most: the most tokens that follow; at least 1.
        choose: returns the next token from the logits, float32 [V], or raises a `MetierError`.
        take: is given each token, and tells whether it is the last.
    """

    prompt: Sequence[int]
    most: int
    choose: Callable[[torch.Tensor], int]
    take: Callable[[int], bool]
    tokens: list[int] = field(default_factory=list)
    done: bool = False
    error: MetierError | None = None

    @property
    def known(self) -> list[int]:
        """The tokens so far, the prompt's first."""
        return [*self.prompt, *self.tokens]

    @property
    def need(self) -> int:
        """The most tokens whose keys and values it will need."""
        return len(self.prompt) + self.most

    def feed(self, logits: torch.Tensor) -> None:
        """Choose the next token; a failure ends this decoding alone."""
        try:
            token = self.choose(logits)
            self.tokens.append(token)
            self.done = self.take(token) or len(self.tokens) >= self.most
        except Exception as error:
            self.fail(error)

    def fail(self, error: Exception) -> None:
        """End with an error."""
        if not isinstance(error, MetierError):
            failure = InferenceError("the model failed on a request", got=f"{type(error).__name__}: {error}")
            failure.__cause__ = error
            error = failure
        self.error, self.done = error, True


class Engine:
    """Decodes sequences side by side.

    Args:
        network: the language model.
        max_sequences: the most sequences side by side.
        cache_tokens: the most tokens kept for all of them. A sequence that needs more runs alone.
        prefill_chunk: the most tokens of a prompt in one forward pass.
    """

    def __init__(self, network: Network, *, max_sequences: int, cache_tokens: int, prefill_chunk: int) -> None:
        self._network = network
        self._most = max_sequences
        self._cache_tokens = cache_tokens
        self._chunk = prefill_chunk
        self._cache = self._network.new_cache()
        self._active: list[Decoding] = []  # in the order of the cache's rows
        self._waiting: deque[Decoding] = deque()
        self._changed = threading.Condition()
        self._driven = False

    def run(self, decodings: Sequence[Decoding], context: CallContext) -> None:
        """Decode until each is done.

        Raises:
            DeadlineExceeded, Cancelled: the caller no longer waits; its decodings leave the batch.
        """
        for _ in self.steps(decodings, context):
            pass

    def steps(self, decodings: Sequence[Decoding], context: CallContext) -> Iterator[None]:
        """Decode until each is done, and yield whenever one of them has come further."""
        with self._changed:
            self._waiting.extend(decodings)
        try:
            while not _all_done(decodings):
                before = _progress(decodings)
                self._until(lambda before=before: _all_done(decodings) or _progress(decodings) > before, context)  # type: ignore[misc]
                yield
        finally:
            for decoding in decodings:
                decoding.done = True

    def nbytes(self) -> int:
        """Return the bytes of keys and values held now."""
        return self._cache.nbytes()

    def _until(self, reached: Callable[[], bool], context: CallContext) -> None:
        """Wait until another caller's steps, or this one's, have led there."""
        with self._changed:
            while self._driven and not reached():
                context.check()
                self._changed.wait(_POLL_SECONDS)
            if reached():
                return
            self._driven = True
        try:
            while not reached():
                context.check()
                self._step(context)
                with self._changed:
                    self._changed.notify_all()
        finally:
            with self._changed:
                self._driven = False
                self._changed.notify_all()

    @torch.inference_mode()
    def _step(self, context: CallContext) -> None:
        """Take in those who wait, as far as there is room, and decode one token of each."""
        self._let_go()
        budget = self._chunk
        while budget > 0 and (group := self._next(budget)):
            budget -= sum(len(decoding.known) for decoding in group)
            self._take_in(group, context)
        if self._active:
            self._decode()

    def _let_go(self) -> None:
        """Remove those that are done, or whose callers are gone."""
        for row in range(len(self._active) - 1, -1, -1):
            if self._active[row].done:
                self._cache.leave(row)
                last = self._active.pop()
                if row < len(self._active):
                    self._active[row] = last

    def _next(self, budget: int) -> list[Decoding]:
        """Return the first in line for whom there is room, and whose prompts are read in one pass; or the first alone.

        Those that are done leave the line.
        """
        with self._changed:
            self._waiting = deque(decoding for decoding in self._waiting if not decoding.done)
            group: list[Decoding] = []
            for decoding in self._waiting:
                length = max(len(member.known) for member in (*group, decoding))
                if not self._has_room(group, decoding) or (group and (len(group) + 1) * length > budget):
                    break
                group.append(decoding)
            return group

    def _has_room(self, group: Sequence[Decoding], decoding: Decoding) -> bool:
        rows = [*self._active, *group, decoding]
        fits = len(rows) <= self._most and len(rows) * max(row.need for row in rows) <= self._cache_tokens
        return fits or len(rows) == 1

    def _take_in(self, group: Sequence[Decoding], context: CallContext) -> None:
        """Read the prompts of the first in line, and let them join the batch."""
        known = [decoding.known for decoding in group]
        width = max(map(len, known))
        cache = self._network.new_cache([width - len(row) for row in known])
        padded = [[0] * (width - len(row)) + row for row in known]
        try:
            for start in range(0, width, self._chunk):
                context.check()
                if all(decoding.done for decoding in group):
                    return
                logits = self._network.next_logits([row[start : start + self._chunk] for row in padded], cache)
        except MetierError:
            raise
        except Exception as error:
            self._back_off(group, error)
            return
        with self._changed:
            for _ in group:
                self._waiting.popleft()
        for place, decoding in enumerate(group):
            decoding.feed(logits[place])
            if not decoding.done:
                self._cache.join(cache, place)
                self._active.append(decoding)

    def _decode(self) -> None:
        """Decode one token of each active sequence."""
        try:
            logits = self._network.next_logits([[decoding.tokens[-1]] for decoding in self._active], self._cache)
        except Exception as error:
            self._back_off(self._active, error)
            self._line_up_again()
            return
        except BaseException:
            self._line_up_again()
            raise
        for decoding, row in zip(self._active, logits, strict=True):
            decoding.feed(row)
        self._let_go()

    def _back_off(self, group: Sequence[Decoding], error: Exception) -> None:
        """After a failure, memory above all: take fewer side by side, or give up the one that fails alone."""
        if len(group) == 1:
            group[0].fail(error)
        else:
            self._most = len(group) // 2

    def _line_up_again(self) -> None:
        """Drop the cache: what was active reads its prompt and its tokens anew, and goes on from there."""
        with self._changed:
            self._waiting.extendleft(reversed(self._active))
        self._active = []
        self._cache = self._network.new_cache()

    def close(self) -> None:
        """Drop the cache."""
        self._cache.reset_storage()


def _all_done(decodings: Sequence[Decoding]) -> bool:
    return all(decoding.done for decoding in decodings)


def _progress(decodings: Sequence[Decoding]) -> int:
    return sum(len(decoding.tokens) + decoding.done for decoding in decodings)
