"""What most plugins need alike: a table of loaders, the options of a card, and answers that fail one by one.

A plugin may do without: the hook and the `Model` protocol are all that the runtime asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, TypeVar, cast

from metier_contracts.card import ModelCard
from metier_contracts.contract import Contract
from metier_contracts.errors import (
    Cancelled,
    ConfigError,
    DeadlineExceeded,
    InferenceError,
    InputError,
    MetierError,
    ModelLoadError,
    UnsupportedError,
)
from metier_contracts.model import Model, Placement
from metier_contracts.request import Request

__all__ = ["LoaderOptions", "attempt", "load_by", "read_options", "unsupported"]

T = TypeVar("T")
OptionsT = TypeVar("OptionsT", bound="LoaderOptions")


class LoaderOptions(Contract):
    """The base of a loader's options, which stand in `options` of its cards. `loader`: its name."""

    loader: str


def read_options(kind: type[OptionsT], card: ModelCard) -> OptionsT:
    """Return the card's options; raise `ConfigError` where the loader does not know one or it has a wrong value."""
    try:
        return kind.from_mapping(dict(card.options))
    except InputError as error:
        raise ConfigError(
            f"the options of the card {card.id} cannot be used: {error.summary}",
            expected=error.expected,
            got=error.got,
            blame=f"options of the card {card.id}",
        ) from None


def load_by(loaders: Mapping[str, str], card: ModelCard, placement: Placement) -> Model:
    """Return the model of a card, by the loader that its options name.

    Args:
        loaders: each loader's module, which is imported now and not before, and whose function
            `load(card, placement)` returns the model.
        card: what to load.
        placement: where, and from which folder.

    Raises:
        ConfigError: the card names none of the loaders.
        ModelLoadError: the loader failed. A `MetierError` of its own comes as it is.
    """
    name = str(card.options.get("loader"))
    if name not in loaders:
        raise ConfigError(
            f"the card {card.id} names no loader of the plugin {card.plugin}",
            expected=f"options.loader = one of {', '.join(loaders)}",
            got=repr(name),
            blame=f"options of the card {card.id}",
        )
    try:
        return cast("Model", import_module(loaders[name]).load(card, placement))
    except MetierError:
        raise
    except Exception as error:
        raise ModelLoadError(
            f"{card.id} could not be loaded from {placement.directory}",
            expected=f"what the loader {name!r} reads",
            got=f"{type(error).__name__}: {error}",
            blame=f"the files there, or the card {card.id}",
        ) from error


def attempt(work: Callable[[], T]) -> T | MetierError:
    """Return what `work` returns, or its failure as a `MetierError`: the answer to one request of a batch.

    The caller's deadline and cancellation concern the whole call, and pass through.
    """
    try:
        return work()
    except (DeadlineExceeded, Cancelled):
        raise
    except MetierError as error:
        return error
    except Exception as error:
        failure = InferenceError("the model failed on a request", got=f"{type(error).__name__}: {error}")
        failure.__cause__ = error
        return failure


def unsupported(request: Request[Any], card: ModelCard) -> UnsupportedError:
    """Return the error of a request that the model does not serve, or not with what it holds."""
    return UnsupportedError(
        f"{card.id} does not {getattr(request, 'task', type(request).__name__)} what was given",
        expected=f"a request for {', '.join(card.tasks)}, with what its card states",
        got=f"{type(request).__name__}({', '.join(sorted(request.model_fields_set))})",
        blame="the request, or the card's tasks",
    )
