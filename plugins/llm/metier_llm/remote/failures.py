"""`Failure`: what went wrong with a request to a server, from what the clients raise to what callers read.

The clients raise errors of their own around those of httpx. Which of them it is does not matter here: an HTTP status,
a failure of the transport, or an answer that does not hold what the protocol says.
"""

from __future__ import annotations

import email.utils
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
from metier_contracts import InputError, MetierError, RateLimitedError, RemoteError
from pydantic import ValidationError

from metier_llm.remote.endpoint import AnswerTooLong, Endpoint

_TRANSIENT = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
_REFUSED = frozenset({400, 413, 422})
_TOO_LONG = re.compile(r"context.?(length|window)|prompt is too long|token count.{0,80}exceed", re.IGNORECASE)


class BrokenAnswer(Exception):  # noqa: N818  (it never leaves the plugin)
    """The answer does not hold what the protocol says."""


class BrokenOff(Exception):  # noqa: N818
    """The stream ended before the answer did, or the server reports a failure within it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed attempt. `transient`: another may succeed. `pause`: the seconds that the server asks for, if it does."""

    error: MetierError
    transient: bool = False
    pause: float | None = None

    @classmethod
    def of(cls, error: BaseException, endpoint: Endpoint) -> Failure:
        """Return the failure that an attempt raised."""
        if isinstance(error, MetierError):
            return cls(error)
        chain = list(_chain(error))
        for link in chain:
            if (status := _status(link)) is not None:
                return _of_status(status, link, endpoint)
        for kinds, make in _KINDS:
            for link in chain:
                if isinstance(link, kinds):
                    return make(link, endpoint)
        if getattr(error, "body", None):  # a failure that the server reports within a stream
            return _broken_off(BrokenOff(_said(error)), endpoint)
        return cls(_remote(endpoint, "did not answer as its protocol says", _named(error, endpoint)))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _status(error: BaseException) -> int | None:
    status = getattr(error, "status_code", None) or getattr(error, "code", None)
    fits = isinstance(status, int) and not 200 <= status < 300 and getattr(error, "response", None) is not None
    return status if fits else None


def _of_status(status: int, error: BaseException, endpoint: Endpoint) -> Failure:
    headers: Mapping[str, str] = getattr(getattr(error, "response", None), "headers", None) or {}
    said = f"HTTP {status}: {endpoint.quoted(_said(error))}"
    transient = status in _TRANSIENT and headers.get("x-should-retry") != "false"
    pause = _asked_pause(headers)
    if status == 429:
        return Failure(_rate_limited(endpoint, said, pause), transient, pause)
    make = _BY_STATUS.get(status, _refused if status in _REFUSED else _failed)
    return Failure(make(endpoint, said), transient, pause)


def _said(error: BaseException) -> str:
    """Return the server's own words."""
    for body in (getattr(error, "body", None), getattr(error, "details", None)):
        while isinstance(body, Mapping):
            if isinstance(message := body.get("message"), str) and message:
                return message
            body = body.get("error", body.get("detail"))
        if isinstance(body, str) and body:
            return body
    return str(error)


def _asked_pause(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of Retry-After: a number, or the date to wait for."""
    milliseconds, after = headers.get("retry-after-ms"), headers.get("retry-after")
    try:
        if milliseconds is not None:
            return max(0.0, float(milliseconds) / 1000)
        if after is None:
            return None
        return max(0.0, float(after))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(after or "").timestamp() - time.time())
    except ValueError:
        return None


def _remote(endpoint: Endpoint, summary: str, got: str, **parts: str) -> RemoteError:
    blame = parts.pop("blame", f"the server at {endpoint.host}")
    return RemoteError(f"{endpoint.host} {summary}", got=got, blame=blame, **parts)


def _key_refused(endpoint: Endpoint, said: str) -> MetierError:
    variable = endpoint.key_env
    return _remote(
        endpoint,
        f"refuses the key for {endpoint.card}",
        said,
        expected=f"a key that may use {endpoint.model}",
        blame=f"the key in the environment variable {variable}"
        if variable
        else f"the card {endpoint.card}: no key_env",
        hint=f"check {variable}" if variable else 'name the variable of the key on the card: key_env = "..."',
    )


def _unknown_model(endpoint: Endpoint, said: str) -> MetierError:
    return _remote(
        endpoint,
        f"does not know the model {endpoint.model!r}, or the path",
        said,
        expected=f"a model and an API at {endpoint.url}",
        blame=f"options.model or source of the card {endpoint.card}, or the rights of the key",
        hint="see the provider's list of models",
    )


def _failed(endpoint: Endpoint, said: str) -> MetierError:
    return _remote(
        endpoint,
        "failed",
        said,
        expected="an answer",
        hint="try again later, raise options.max_retries, or put another model behind it with fallback",
    )


def _refused(endpoint: Endpoint, said: str) -> MetierError:
    too_long = _TOO_LONG.search(said) is not None
    return InputError(
        f"{endpoint.host} refuses the request" + (": it is too long for the model" if too_long else ""),
        expected=f"a request that {endpoint.model} takes",
        got=said,
        blame=f"the request, or the options of the card {endpoint.card}",
        hint="send shorter messages or ask for fewer tokens" if too_long else "read what the server says",
    )


def _rate_limited(endpoint: Endpoint, said: str, pause: float | None) -> MetierError:
    wait = "wait" if pause is None else f"wait {pause:g} s, as the server asks"
    return RateLimitedError(
        f"{endpoint.host} asks for fewer requests",
        retry_after=pause,
        expected="requests within the limits of the key",
        got=said,
        blame=f"the rate of requests, or the limits of the key for {endpoint.model}",
        hint=f"{wait}, lower options.concurrency, or raise options.max_retries of the card {endpoint.card}",
    )


_BY_STATUS: Mapping[int, Callable[[Endpoint, str], MetierError]] = {
    401: _key_refused,
    403: _key_refused,
    404: _unknown_model,
}


def _named(error: BaseException, endpoint: Endpoint) -> str:
    return endpoint.quoted(f"{type(error).__name__}: {error}")


def _unreachable(error: BaseException, endpoint: Endpoint) -> Failure:
    reason = next((link for link in reversed(list(_chain(error))) if str(link)), error)
    certificate = "certificate" in str(reason).lower() or "ssl" in str(reason).lower()
    summary = "cannot be trusted or does not speak TLS" if certificate else "cannot be reached"
    return Failure(
        _remote(
            endpoint,
            summary,
            endpoint.quoted(str(reason) or "no connection in the time allowed"),
            expected=f"a server at {endpoint.url}",
            blame=f"source of the card {endpoint.card}, the network, or the server",
            hint="check the address, that the server runs, and the proxy variables (HTTPS_PROXY, NO_PROXY)",
        ),
        transient=not certificate,
    )


def _silent(error: BaseException, endpoint: Endpoint) -> Failure:
    return Failure(
        _remote(
            endpoint,
            "fell silent",
            f"nothing within options.timeout_seconds ({type(error).__name__})",
            expected="an answer, or a piece of one",
            hint=f"raise options.timeout_seconds of the card {endpoint.card}, or ask for fewer tokens",
        )
    )


def _dropped(error: BaseException, endpoint: Endpoint) -> Failure:
    error = _remote(
        endpoint,
        "ended the connection before the answer was complete",
        _named(error, endpoint),
        expected="the whole answer",
        hint="try again; a part of the answer may have been charged",
    )
    return Failure(error, transient=True)


def _too_long(error: BaseException, endpoint: Endpoint) -> Failure:
    return Failure(
        _remote(
            endpoint,
            "answered at too great a length",
            str(error),
            expected=f"no more than options.max_answer_bytes of the card {endpoint.card}",
        )
    )


def _broken(error: BaseException, endpoint: Endpoint) -> Failure:
    return Failure(
        _remote(
            endpoint,
            "did not answer as its protocol says",
            _named(error, endpoint),
            expected="an answer of the protocol that the card's loader speaks",
            blame=f"the server, or source and loader of the card {endpoint.card}",
        )
    )


def _broken_off(error: BaseException, endpoint: Endpoint) -> Failure:
    return Failure(
        _remote(
            endpoint, "broke the answer off", endpoint.quoted(str(error)), expected="the whole answer", hint="try again"
        )
    )


_Make = Callable[[Any, Endpoint], Failure]
_KINDS: tuple[tuple[tuple[type[BaseException], ...], _Make], ...] = (
    ((AnswerTooLong,), _too_long),
    ((BrokenOff,), _broken_off),
    ((BrokenAnswer, json.JSONDecodeError, UnicodeDecodeError, ValidationError, httpx2.DecodingError), _broken),
    ((httpx2.ConnectError, httpx2.ConnectTimeout), _unreachable),
    ((httpx2.TimeoutException,), _silent),
    ((httpx2.TransportError,), _dropped),
)
