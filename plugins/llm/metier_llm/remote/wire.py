"""`Wire`: what each protocol brings, and what several of them write or read alike."""

from __future__ import annotations

import importlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol

from metier_contracts import (
    Generate,
    Generation,
    GenerationChunk,
    ImagePart,
    InputError,
    Message,
    PluginUnavailableError,
    ToolCall,
    UnsupportedError,
)
from pydantic import BaseModel, TypeAdapter

from metier_llm.remote.endpoint import Endpoint
from metier_llm.remote.failures import BrokenAnswer
from metier_llm.remote.likelihoods import Token
from metier_llm.remote.options import RemoteOptions, SamplingField

Call = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server wrote. `tokens`: its tokens with their likelihoods, where these were asked for and told."""

    generation: Generation
    tokens: Sequence[Token] = ()


class Wire(Protocol):
    """A protocol, spoken by its provider's client. A `Call` is a request in the client's own words.

    `likelihoods`: what a call says besides where the likelihoods of tokens are wanted; nothing where none are told.
    """

    likelihoods: Call

    def call(self, request: Generate, seed: int | None) -> Call:
        """Return a request's call. Raises `UnsupportedError` where the protocol has no words for it."""
        ...

    async def ask(self, call: Call) -> Answer:
        """Send a call and return its answer."""
        ...

    async def open(self, call: Call) -> Any:
        """Send a call whose answer comes in pieces; return the client's stream."""
        ...

    def read(self, stream: Any) -> AsyncIterator[GenerationChunk]:
        """Yield the pieces of an open stream, an asynchronous generator that closes it."""
        ...

    async def close(self) -> None:
        """Close the client and its connections."""
        ...


def client_package(module: str, requirement: str, card: str) -> ModuleType:
    """Return a provider's client, imported now; raise `PluginUnavailableError` where it is not installed."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise PluginUnavailableError(
            f"{card} needs its provider's client, which is not installed",
            expected=f"the package {requirement}",
            got=str(error),
            blame="this environment",
            hint=f'pip install "{requirement}"',
        ) from None


def sampling_fields(request: Generate, seed: int | None, endpoint: Endpoint, options: RemoteOptions) -> dict[str, Any]:
    """Return what a call says of sampling, by the names of `Sampling`: what the model takes, without mere defaults.

    Raises:
        UnsupportedError: the request sets a field that the model does not take.
    """
    sampling = request.sampling
    for name in options.unsupported:
        if name in sampling.model_fields_set and getattr(sampling, name) not in (None, ()):
            raise _not_taken(name, getattr(sampling, name), endpoint)
    says: dict[SamplingField, Any] = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p if sampling.top_p < 1 else None,
        "top_k": sampling.top_k,
        "stop": list(sampling.stop) or None,
        "seed": sampling.seed if sampling.seed is not None else seed,
    }
    return {name: value for name, value in says.items() if value is not None and name not in options.unsupported}


def _not_taken(name: str, value: object, endpoint: Endpoint) -> UnsupportedError:
    return UnsupportedError(
        f"{endpoint.card} takes no {name}",
        expected=f"a request without sampling.{name}",
        got=f"{name} = {value!r}",
        blame=f"the request, or `unsupported` in the options of the card {endpoint.card}",
        hint="leave it out, or choose another model",
    )


def picture(part: ImagePart) -> str:
    """Return a part's image as a PNG file in base64."""
    return str(part.image.model_dump(mode="json")["pixels"])


def answered_call(message: Message) -> str:
    """Return the id of the call that a tool's message answers."""
    if message.tool_call_id is None:
        raise InputError(
            "a tool's message does not say which call it answers",
            expected="tool_call_id, the id of a call that the model made",
            got="None",
            blame="messages of the request",
        )
    return message.tool_call_id


def tool_call(number: int, identity: str | None, name: str, arguments: str) -> ToolCall:
    """Return a call from the text of its arguments; the servers that give it no id get one by its number."""
    try:
        found = json.loads(arguments or "{}")
    except json.JSONDecodeError as error:
        raise BrokenAnswer(f"arguments of the tool {name!r} that are no JSON: {error}") from None
    if not isinstance(found, dict):
        raise BrokenAnswer(f"arguments of the tool {name!r} that are no JSON object")
    return ToolCall(id=identity or f"call_{number}", name=name, arguments=found)


def seen(kind: TypeAdapter[Any], answer: Any) -> Any:
    """Return what is read of a client's record, checked: the clients take in whatever a server sends."""
    if not isinstance(answer, BaseModel):
        raise BrokenAnswer(f"no JSON object but {type(answer).__name__}: {str(answer)[:100]!r}")
    return kind.validate_python(answer.model_dump(warnings=False))
