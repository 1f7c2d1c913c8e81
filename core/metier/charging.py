"""What an answer cost, and the most that a request can cost, by the price on a model's card."""

from __future__ import annotations

from typing import Any

from metier_contracts import (
    BudgetExceededError,
    Classification,
    Classify,
    Generate,
    Generation,
    GenerationChunk,
    ModelCard,
    Price,
    Request,
    Response,
)

# A provider puts text of its own before tools and schemas: of those that publish it, some hundreds of tokens.
_TOKENS_AROUND_TOOLS = 1000
_TIMES_TOLD = 3


def dollars(price: Price, read: float, written: float) -> float:
    """Return the US dollars of a call that has so many tokens read and written."""
    tokens = price.per_million_input_tokens * read + price.per_million_output_tokens * written
    return price.per_call + tokens / 1e6


def cost_of(price: Price, response: Response) -> float:
    """Return the US dollars of an answer; those of a stream stand on its last piece, which counts the tokens."""
    if isinstance(response, GenerationChunk) and response.finish_reason is None:
        return 0.0
    if not isinstance(response, Classification | Generation | GenerationChunk):
        return price.per_call
    return dollars(price, response.input_tokens or 0, response.output_tokens or 0)


def is_known(price: Price, response: Response) -> bool:
    """Tell whether `cost_of` is all that the answer cost: whether the tokens that have a price were counted."""
    if isinstance(response, Generation):
        counted = response.tokens_known
    elif isinstance(response, GenerationChunk):
        if response.finish_reason is None:
            return False
        counted = response.input_tokens is not None and response.output_tokens is not None
    elif isinstance(response, Classification):
        counted = response.input_tokens is not None and response.output_tokens is not None
    else:
        return True
    return counted or not _by_token(price)


def most_it_costs(card: ModelCard, request: Request[Any]) -> float:
    """Return the most US dollars that a request can cost; 0 for a model that is free.

    Raises:
        BudgetExceededError: nothing on the card bounds it.
    """
    price = card.price
    if price is None:
        if card.remote:
            raise _unbounded(card, "no price on the card", "[cards.price]")
        return 0.0
    if not isinstance(request, Classify | Generate) or not _by_token(price):
        return price.per_call
    return dollars(price, _most_read(card, request), _most_written(card, request))


def _by_token(price: Price) -> bool:
    return bool(price.per_million_input_tokens or price.per_million_output_tokens)


def _most_read(card: ModelCard, request: Classify | Generate) -> int:
    """Return the most tokens that a request can be.

    No token is shorter than a byte. The JSON of a request to generate is longer than its texts by more than the marks
    that a chat template puts between them. Labels are told in the question and once more in a schema.
    """
    context = card.tasks[request.task].context
    if _has_image(request):
        if context is None:
            got = "an image, whose tokens nobody can tell beforehand"
            raise _unbounded(card, got, f"context = ... in [cards.tasks.{request.task}]")
        return context
    most = len(request.to_json().encode())
    if isinstance(request, Classify):
        most = _TIMES_TOLD * most + _TOKENS_AROUND_TOOLS
    elif request.tools or request.json_schema is not None:
        most += _TOKENS_AROUND_TOOLS
    return most if context is None else min(most, context)


def _most_written(card: ModelCard, request: Classify | Generate) -> int:
    if isinstance(request, Generate):
        return request.sampling.max_tokens
    most = card.tasks[request.task].output_tokens
    if most is None:
        raise _unbounded(card, "no bound of what it writes", f"output_tokens = ... in [cards.tasks.{request.task}]")
    return most


def _has_image(request: Classify | Generate) -> bool:
    if isinstance(request, Classify):
        return request.image is not None
    return any(message.has_image for message in request.messages)


def _unbounded(card: ModelCard, got: str, setting: str) -> BudgetExceededError:
    return BudgetExceededError(
        f"under a budget the model {card.id!r} is asked nothing whose cost has no bound",
        expected="a request of which the card tells the most that it can cost",
        got=got,
        blame=f"the card of {card.id!r}, or max_cost=...",
        hint=f"set {setting} for it in metier.toml, or run without max_cost",
    )
