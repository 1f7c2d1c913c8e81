"""What the options of a remote language model's card may say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from metier_contracts.authoring import LoaderOptions
from metier_contracts.refusal import Refusal
from pydantic import Field, field_validator

SamplingField = Literal["temperature", "top_p", "top_k", "stop", "seed"]

CREDENTIALS = frozenset({"authorization", "api-key", "x-api-key", "x-goog-api-key"})


class RemoteOptions(LoaderOptions):
    """Options of every remote loader. The key never stands here: `key_env` of the card names its variable.

    Args:
        model: the model's name at its provider.
        timeout_seconds: the longest silence of the server, before its first byte or between two. The caller's deadline
            bounds the call as a whole.
        connect_timeout_seconds: the longest that connecting may take.
        max_retries: how often a request is sent again after a failure that may pass (no connection, 408, 409, 429,
            5xx), while no part of the answer has been handed on.
        backoff_seconds: the pause before the first retry; it doubles with each. A server's Retry-After goes first.
        longest_pause_seconds: a server that asks for a longer pause is not asked again.
        concurrency: the most requests that wait for their answers at once, of all callers; streams are not counted.
        max_answer_bytes: where an answer, or all of a stream, is longer, it is given up.
        headers: more headers for every request.
        unsupported: the fields of `sampling` that the model does not take. They are not sent, and a request that sets
            one is refused.
    """

    model: str = Field(min_length=1)
    timeout_seconds: float = Field(default=60.0, gt=0)
    connect_timeout_seconds: float = Field(default=10.0, gt=0)
    max_retries: int = Field(default=2, ge=0)
    backoff_seconds: float = Field(default=0.5, gt=0)
    longest_pause_seconds: float = Field(default=60.0, ge=0)
    concurrency: int = Field(default=8, ge=1)
    max_answer_bytes: int = Field(default=32 * 2**20, ge=1)
    headers: Mapping[str, str] = {}
    unsupported: tuple[SamplingField, ...] = ()

    @field_validator("headers")
    @classmethod
    def _holds_no_key(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        if named := sorted(name for name in value if name.lower() in CREDENTIALS):
            raise Refusal("headers without a key, which the variable named by key_env holds", f"one named {named[0]!r}")
        return value


class OpenAIOptions(RemoteOptions):
    """Options of `openai`.

    Args:
        max_tokens_field: what the server calls the most tokens of an answer. OpenAI's own models take
            "max_completion_tokens" alone, many other servers "max_tokens" alone.
        strict_schema: ask for OpenAI's strict mode, which enforces a JSON Schema and takes only some of them.
        top_logprobs: how many likely tokens to ask for at each place of the answer to a classify request; the scores of
            the labels are made from them. 0 where the server does not tell them, as of OpenAI's models that reason.
        stream_usage: ask for the token counts of a stream by `stream_options`, which not every server takes.
    """

    unsupported: tuple[SamplingField, ...] = ("top_k",)
    max_tokens_field: Literal["max_completion_tokens", "max_tokens"] = "max_tokens"
    strict_schema: bool = False
    top_logprobs: int = Field(default=0, ge=0, le=20)
    stream_usage: bool = True


class AnthropicOptions(RemoteOptions):
    """Options of `anthropic`, whose models of today take none of the fields of `sampling` but `stop`."""

    unsupported: tuple[SamplingField, ...] = ("temperature", "top_p", "top_k", "seed")


class GeminiOptions(RemoteOptions):
    """Options of `gemini`."""
