"""Cancelling a task whose model is at work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from metier_contracts import CallContext, Cancelled


def cancel_at_work(probe: Any, gate: Any, start: Callable[[], Awaitable[Any]]) -> list[Cancelled]:
    """Cancel what `start` begins once the model of the probe is at work, and return the list of what the model meets.

    The model may meet it only after this returns: close the runtime before looking.
    """
    seen: list[Cancelled] = []

    def work(requests: Any, context: CallContext) -> None:
        gate()
        try:
            context.check()
        except Cancelled as error:
            seen.append(error)
            raise

    probe.on_infer = work

    async def main() -> None:
        working = asyncio.ensure_future(start())
        await asyncio.sleep(0)
        gate.await_arrival()
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
        gate.open()

    asyncio.run(main())
    return seen
