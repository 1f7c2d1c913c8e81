"""`Endpoint`: the server of a remote model, and the key that it asks for."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import cast

import httpx2
from metier_contracts import ConfigError, ModelCard

from metier_llm.remote.options import CREDENTIALS, RemoteOptions

# The responses that a task has had: one client does not close those of its streams.
RESPONSES: ContextVar[list[httpx2.Response]] = ContextVar("RESPONSES")

_KEY = re.compile(r"[\x21-\x7e]+")
_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the requests of a card go. The key stands in no text that is made of this."""

    card: str
    url: str
    model: str
    key_env: str | None = None
    _key: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, card: ModelCard, options: RemoteOptions) -> Endpoint:
        """Return the endpoint of a card, with the key that the environment holds now.

        Raises:
            ConfigError: the card's source is no address, or the variable of its key is not set.
        """
        return cls(card.id, _address(card), options.model, card.key_env, _key(card))

    @property
    def host(self) -> str:
        """The server's name, and its port where the address has one."""
        return httpx2.URL(self.url).netloc.decode("ascii")

    def headers(self, name: str, form: str) -> dict[str, str]:
        """Return the header that holds the key, `form` with the key for {key}; empty where there is no key."""
        return {} if self._key is None else {name: form.format(key=self._key)}

    def quoted(self, text: str) -> str:
        """Return what the server said as one short line, without the key."""
        line = " ".join(text.split())
        line = line if self._key is None else line.replace(self._key, "***")
        return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}..."


def http_client(endpoint: Endpoint, options: RemoteOptions, header: str, form: str = "{key}") -> httpx2.AsyncClient:
    """Return the HTTP client of an endpoint. No request of it carries another key than the endpoint's.

    Args:
        endpoint: where the requests go.
        options: of the card.
        header: the header that holds the key.
        form: what stands in that header.
    """
    timeout = httpx2.Timeout(options.timeout_seconds, connect=options.connect_timeout_seconds, pool=None)
    # Uncompressed, since max_answer_bytes counts what is sent.
    own = {"accept-encoding": "identity", **options.headers, **endpoint.headers(header, form)}

    async def prepare(request: httpx2.Request) -> None:
        # The clients take keys, and names of organisations, from variables of their own. These are not the card's.
        for name in (*CREDENTIALS, "openai-organization", "openai-project"):
            request.headers.pop(name, None)
        request.headers.update(own)
        request.extensions["timeout"] = timeout.as_dict()  # one client passes none of its own

    async def limit(response: httpx2.Response) -> None:
        if (responses := RESPONSES.get(None)) is not None:
            responses.append(response)
        response.stream = _Limited(cast("httpx2.AsyncByteStream", response.stream), options.max_answer_bytes)

    return httpx2.AsyncClient(
        timeout=timeout,
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=options.concurrency),
        event_hooks={"request": [prepare], "response": [limit]},
    )


class AnswerTooLong(Exception):  # noqa: N818  (it never leaves the plugin)
    """The server sent more bytes than an answer may have."""


class _Limited(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, most: int) -> None:
        self._stream = stream
        self._most = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        taken = 0
        async for piece in self._stream:
            taken += len(piece)
            if taken > self._most:
                raise AnswerTooLong(f"more than {self._most} bytes")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


def _address(card: ModelCard) -> str:
    source = str(card.source)
    try:
        url = httpx2.URL(source)
        fits = bool(url.host) and not url.userinfo and not url.query
    except httpx2.InvalidURL:
        fits = False
    if not card.remote or not fits:
        raise ConfigError(
            f"the card {card.id} names no server",
            expected="source = the address of an API, for example https://api.openai.com/v1, without a key in it",
            got=repr(source.partition("://")[0] + "://..."),
            blame=f"source of the card {card.id}",
        )
    return source.rstrip("/")


def _key(card: ModelCard) -> str | None:
    if card.key_env is None:
        return None
    key = os.environ.get(card.key_env, "").strip()
    if not _KEY.fullmatch(key):
        raise ConfigError(
            f"the key of {card.id} is not there",
            expected=f"a key in the environment variable {card.key_env}",
            got="a value with spaces or letters beyond ASCII" if key else "a variable that is unset or empty",
            blame=f"the environment, or key_env of the card {card.id}",
            hint=f"export {card.key_env}=..., or take key_env out where the server asks for no key",
        )
    return key
