"""Sending a request again after a failure that may pass.

The clients can do this too, but each in its own way: one does not read Retry-After, none knows the caller's deadline,
and all would send again what failed for good, such as an answer that is too long. So theirs are switched off.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from itertools import count
from typing import TypeVar

from metier_contracts import CallContext

from metier_llm.remote.endpoint import Endpoint
from metier_llm.remote.failures import Failure
from metier_llm.remote.options import RemoteOptions

T = TypeVar("T")

_MOST_DOUBLINGS = 4


async def retried(
    attempt: Callable[[], Awaitable[T]], endpoint: Endpoint, options: RemoteOptions, context: CallContext
) -> T:
    """Return what the first successful attempt returns.

    Raises:
        MetierError: why the last one failed, where retries are spent, or the pause would outlast the caller's deadline.
    """
    for retry in count():
        try:
            return await attempt()
        except Exception as error:
            failure = Failure.of(error, endpoint)
        pause = backoff(retry, options.backoff_seconds) if failure.pause is None else failure.pause
        if not failure.transient or retry >= options.max_retries or not _waits(pause, options, context):
            raise failure.error
        await asyncio.sleep(pause)
    raise AssertionError("unreachable")


def backoff(retry: int, first: float) -> float:
    """Return the seconds before a retry: double each time, of which up to a half is left to chance."""
    return float(first * 2 ** min(retry, _MOST_DOUBLINGS) * random.uniform(0.5, 1))  # noqa: S311  (it only spreads)


def _waits(pause: float, options: RemoteOptions, context: CallContext) -> bool:
    remaining = context.remaining()
    return pause <= options.longest_pause_seconds and (remaining is None or pause < remaining)
