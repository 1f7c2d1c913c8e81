"""Spans of OpenTelemetry: of a run, of each step, and of each call of a model. None holds what was asked or answered.

They are made where the program has set a tracer provider, which it cannot do without importing opentelemetry; until
then this module imports nothing and does nothing. Names are those of the semantic conventions for generative AI, v0.1.0
(github.com/open-telemetry/semantic-conventions-genai), and `metier.*` where these have none.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from metier_contracts import Embedding, Generate, Generation, GenerationChunk, ModelCard, Request, Response

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer

    from metier.accounting import Answer

_OPERATIONS = {"generate": "chat", "embed": "embeddings"}
_PROVIDERS = {
    "api.anthropic.com": "anthropic",
    "api.cohere.com": "cohere",
    "api.deepseek.com": "deepseek",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral_ai",
    "api.moonshot.ai": "moonshot_ai",
    "api.openai.com": "openai",
    "api.perplexity.ai": "perplexity",
    "api.x.ai": "x_ai",
    "generativelanguage.googleapis.com": "gcp.gemini",
}
_PORTS = {"http": 80, "https": 443}
_OFF: AbstractContextManager[None] = nullcontext()


def tracer() -> Tracer | None:
    """Return the tracer, or None where the program has set no provider."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    provider = trace.get_tracer_provider()
    if isinstance(provider, trace.ProxyTracerProvider | trace.NoOpTracerProvider):
        return None
    made: Tracer = provider.get_tracer("metier", _version())
    return made


@cache
def _version() -> str:
    return version("metier")


def here() -> Context | None:
    """Return the context of now, in which a later span is to begin."""
    if tracer() is None:
        return None
    from opentelemetry.context import get_current

    return get_current()


@contextmanager
def running(target: object) -> Iterator[None]:
    """Have the span of a run, current within the block."""
    with run_span(target) as span, current(span):
        yield


@contextmanager
def run_span(target: object, within: Context | None = None) -> Iterator[Span | None]:
    """Yield the span of a run, which is current only where `current` makes it; None where there is no tracer."""
    made = tracer()
    if made is None:
        yield None
        return
    span = made.start_span("metier.run", context=within, attributes=_described(target))
    try:
        yield span
    except GeneratorExit:  # a `map` that is read no further is no failure
        raise
    except BaseException as error:
        fail(span, [error])
        raise
    finally:
        span.end()


def _described(target: object) -> dict[str, str]:
    if isinstance(target, Request):
        return {"metier.task": target.task}
    return {"metier.pipeline": name} if isinstance(name := getattr(target, "name", None), str) else {}


def current(span: Span | None) -> AbstractContextManager[object]:
    """Make a span the parent of those that begin within the block; it goes on after it."""
    if span is None:
        return _OFF
    from opentelemetry.trace import use_span

    return use_span(span, end_on_exit=False, record_exception=False, set_status_on_exception=False)


def step_span(made: Tracer, name: str, values: int) -> Span:
    """Return the span of a step, begun."""
    return made.start_span(f"metier.step {name}", attributes={"metier.step": name, "metier.values": values})


@contextmanager
def opened(span: Span) -> Iterator[Span]:
    """Yield a span that has begun, current within the block, which ends it."""
    try:
        with current(span):
            yield span
    except BaseException as error:
        fail(span, [error])
        raise
    finally:
        span.end()


def call_span(
    made: Tracer,
    card: ModelCard,
    requests: Sequence[Request[Any]],
    *,
    within: Context | None = None,
    stream: bool = False,
) -> Span:
    """Return the span of a call of a model, begun."""
    from opentelemetry.trace import SpanKind

    operation = _OPERATIONS.get(requests[0].task, requests[0].task)
    attributes: dict[str, Any] = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": "metier",
        "gen_ai.request.model": card.id,
        "metier.plugin": card.plugin,
        "metier.requests": len(requests),
    }
    if stream:
        attributes["gen_ai.request.stream"] = True
    if card.remote and card.source is not None:
        address = urlsplit(card.source)
        host = address.hostname or ""
        attributes["gen_ai.provider.name"] = _PROVIDERS.get(host, "metier")
        attributes["server.address"] = host
        attributes["server.port"] = address.port or _PORTS[address.scheme]
    attributes.update(_sampling(requests))
    kind = SpanKind.CLIENT if card.remote else SpanKind.INTERNAL
    return made.start_span(f"{operation} {card.id}", context=within, kind=kind, attributes=attributes)


def _sampling(requests: Sequence[Request[Any]]) -> Mapping[str, Any]:
    """Return how tokens are drawn, where that is the same for all requests of the call."""
    first = requests[0]
    if not isinstance(first, Generate):
        return {}
    sampling = first.sampling
    if any(not isinstance(other, Generate) or other.sampling != sampling for other in requests):
        return {}
    fields = {name: getattr(sampling, name) for name in ("max_tokens", "temperature", "top_p", "top_k", "seed")}
    return {f"gen_ai.request.{name}": value for name, value in fields.items() if value is not None}


def answered(span: Span, answers: Sequence[Answer]) -> None:
    """Say what the call gave: tokens, reasons of the ends, dollars, and what failed."""
    responses = [answer for answer in answers if isinstance(answer, Response)]
    attributes: dict[str, Any] = {}
    texts = [response for response in responses if isinstance(response, Generation | GenerationChunk)]
    if reasons := [text.finish_reason for text in texts if text.finish_reason]:
        attributes["gen_ai.response.finish_reasons"] = reasons
    for name in ("input_tokens", "output_tokens"):
        counts = [getattr(each, name, None) for each in responses if getattr(each, "tokens_known", True)]
        if counted := [count for count in counts if count is not None]:
            attributes[f"gen_ai.usage.{name}"] = sum(counted)
    if responses and isinstance(first := responses[0], Embedding):
        attributes["gen_ai.embeddings.dimension.count"] = int(first.vectors.shape[1])
    origins = [response.provenance for response in responses if response.provenance is not None]
    if origins:
        attributes["metier.device"] = origins[0].device
    if cost := sum(origin.cost for origin in origins):
        attributes["metier.cost"] = cost
    span.set_attributes(attributes)
    fail(span, [answer for answer in answers if not isinstance(answer, Response)])


def fail(span: Span, errors: Sequence[BaseException]) -> None:
    """Mark a span as failed by the kind of its first error, since messages may hold what was asked."""
    if not errors:
        return
    from opentelemetry.trace import Status, StatusCode

    kind = _kind(errors[0])
    span.set_attributes({"error.type": kind, "metier.failures": len(errors)})
    span.set_status(Status(StatusCode.ERROR, kind))


def _kind(error: BaseException) -> str:
    kind = type(error)
    known = kind.__module__ == "builtins" or kind.__module__.startswith("metier_contracts.")
    return kind.__qualname__ if known else f"{kind.__module__}.{kind.__qualname__}"
