"""`RemoteModel`: a model behind an HTTP API, whatever protocol it speaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any

from metier_contracts import (
    CallContext,
    Classify,
    Generate,
    GenerationChunk,
    MetierError,
    ModelCard,
    Request,
    Response,
)
from metier_contracts.authoring import attempt, unsupported

from metier_llm.remote.choosing import Question
from metier_llm.remote.endpoint import Endpoint
from metier_llm.remote.failures import Failure
from metier_llm.remote.loop import LoopThread
from metier_llm.remote.options import RemoteOptions
from metier_llm.remote.retrying import retried
from metier_llm.remote.wire import Answer, Call, Wire


@dataclass(frozen=True, slots=True)
class _Asked:
    """A call, and how its answer is read."""

    call: Call
    read: Callable[[Answer], Response]


class RemoteModel:
    """Sends requests to a server, several at once, for callers in any thread. No connection is made before the first.

    Args:
        card: the model's.
        endpoint: the server.
        options: of the card.
        wire: the protocol that the server speaks.
    """

    dtype = None

    def __init__(self, card: ModelCard, endpoint: Endpoint, options: RemoteOptions, wire: Wire) -> None:
        self._card = card
        self._endpoint = endpoint
        self._options = options
        self._wire = wire
        self._slots = asyncio.Semaphore(options.concurrency)
        self._loop = LoopThread(f"metier-{card.id}")

    @property
    def device(self) -> str:
        """The server's name."""
        return self._endpoint.host

    def infer(self, requests: Sequence[Request[Any]], context: CallContext) -> Sequence[Response | MetierError]:
        """Answer each request, in order, up to `concurrency` of them at once.

        Raises:
            DeadlineExceeded, Cancelled: the caller stopped waiting; the connections at work are closed.
        """
        asked = [attempt(partial(self._asked, request, context)) for request in requests]
        return self._loop.run(self._ask_all(asked, context), context)

    def stream(self, request: Request[Any], context: CallContext) -> Iterator[GenerationChunk]:
        """Yield the pieces of an answer as they come. Closing the iterator closes the connection."""
        pieces = self._pieces(self._call(request, context), context)
        try:
            while (piece := self._loop.run(_next(pieces), context)) is not None:
                yield piece
        finally:
            self._loop.finish(_closed(pieces))

    def resident_bytes(self) -> int:
        """Return 0: the model is elsewhere."""
        return 0

    def close(self) -> None:
        """Close all connections and end the thread."""
        self._loop.close(self._wire.close())

    def _call(self, request: Request[Any], context: CallContext) -> Call:
        if not isinstance(request, Generate):
            raise unsupported(request, self._card)
        return self._wire.call(request, context.seed)

    def _asked(self, request: Request[Any], context: CallContext) -> _Asked:
        if isinstance(request, Classify):
            question = Question(request, self._card)
            call = self._wire.call(question.asked(), context.seed)
            return _Asked({**call, **self._wire.likelihoods}, question.read)
        return _Asked(self._call(request, context), lambda answer: answer.generation)

    async def _ask_all(
        self, asked: Sequence[_Asked | MetierError], context: CallContext
    ) -> Sequence[Response | MetierError]:
        return await asyncio.gather(*(self._ask(each, context) for each in asked))

    async def _ask(self, asked: _Asked | MetierError, context: CallContext) -> Response | MetierError:
        if isinstance(asked, MetierError):
            return asked
        async with self._slots:
            try:
                answer = await retried(partial(self._wire.ask, asked.call), self._endpoint, self._options, context)
            except MetierError as error:
                return error
        return attempt(partial(asked.read, answer))

    async def _pieces(self, call: Call, context: CallContext) -> AsyncIterator[GenerationChunk]:
        stream = await retried(partial(self._wire.open, call), self._endpoint, self._options, context)
        try:
            async with aclosing(self._wire.read(stream)) as pieces:  # type: ignore[type-var]
                async for piece in pieces:
                    yield piece
        except Exception as error:
            failure = Failure.of(error, self._endpoint)
        else:
            return
        raise failure.error


async def _next(pieces: AsyncIterator[GenerationChunk]) -> GenerationChunk | None:
    return await anext(pieces, None)


async def _closed(pieces: Any) -> None:
    await pieces.aclose()
