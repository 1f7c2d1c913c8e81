"""Servers on loopback, cards that point at them, and runtimes that may use them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from metier import Runtime
from metier_contracts import ModelCard

from tests.plugins.llm.remote.dialects import DIALECTS, Dialect
from tests.support.scripted_server import Reply, ScriptedServer

ID = "there/model"
KEY = "sk-Secret0123456789"
WAIT = 20.0
CHOOSES = {
    "modalities": ["text", "image"],
    "labels": "open",
    "multi_label": True,
    "few_shot": True,
    "output_tokens": 32,
}

Serve = Callable[..., ScriptedServer]
Reach = Callable[..., Runtime]


@pytest.fixture(params=DIALECTS, ids=lambda dialect: dialect.loader)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    """Each protocol in turn."""
    found: Dialect = request.param
    return found


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What a test opens; after it, no thread of a model and no connection to a server is left."""
    with ExitStack() as stack:
        yield stack
    left = [thread.name for thread in threading.enumerate() if thread.name.startswith(f"metier-{ID}")]
    assert left == []


@pytest.fixture
def serve(stack: ExitStack) -> Serve:
    """Start a server that gives these replies, one a request, the last one again and again."""

    def serve(*replies: Reply) -> ScriptedServer:
        server = stack.enter_context(ScriptedServer(replies))
        stack.callback(_deserted, server)
        return server

    return serve


def _deserted(server: ScriptedServer) -> None:
    assert server.deserted(), "a connection is open still"


def card(dialect: Dialect, source: str, *, fields: dict[str, Any] | None = None, **options: Any) -> ModelCard:
    """A card of a model at `source`, which retries at once."""
    return ModelCard.from_mapping(
        {
            "id": ID,
            "plugin": "llm",
            "architecture": "llm",
            "source": source,
            "licence": "proprietary",
            "thread_safe": True,
            "options": {"loader": dialect.loader, "model": "m", "backoff_seconds": 0.001, **options},
            "tasks": {
                "generate": {"stream": True, "tools": True, "json_schema": True, "modalities": ["text", "image"]},
                "classify": {**CHOOSES, "json_schema": True},
            },
            **(fields or {}),
        }
    )


@pytest.fixture
def reach(stack: ExitStack) -> Reach:
    """Open a runtime with a card for a server; the options go onto the card."""

    def reach(dialect: Dialect, server: ScriptedServer | str, **options: Any) -> Runtime:
        source = server if isinstance(server, str) else server.address + dialect.base
        return stack.enter_context(Runtime(privacy="any", cards=[card(dialect, source, **options)]))

    return reach
