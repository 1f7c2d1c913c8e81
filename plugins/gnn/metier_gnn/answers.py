"""What is asked of a model, and what of it the model refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
from metier_contracts import Graph, GraphScore, InputError, ModelCard, Request, UnsupportedError
from numpy.typing import NDArray

from metier_gnn.config import NetworkConfig


def asked_of(request: Request[Any], card: ModelCard) -> GraphScore:
    """Return the request if it is one to score a graph at a level that the card has; else raise `UnsupportedError`."""
    levels = card.tasks["graph-score"].levels if "graph-score" in card.tasks else ()
    if isinstance(request, GraphScore) and request.level in levels:
        return request
    raise UnsupportedError(
        f"{card.id} does not {getattr(request, 'task', type(request).__name__)} what was given",
        expected=f"GraphScore at level {' or '.join(map(repr, levels))}",
        got=type(request).__name__ + (f" at level {request.level!r}" if isinstance(request, GraphScore) else ""),
        blame="the request, or the card's tasks",
    )


def check_features(graph: Graph, config: NetworkConfig, model: str) -> None:
    """Raise `InputError` where a graph has other features than those that a network was fitted on."""
    check_width("x", graph.x, config.features, model)
    if config.edge_features:
        check_width("edge_attr", graph.edge_attr, config.edge_features, model)


def check_width(name: str, given: NDArray[np.float32] | None, expected: int | None, model: str) -> None:
    """Raise `InputError` unless an array has so many columns; None stands for no array."""
    got = None if given is None else given.shape[1]
    if got != expected:
        raise InputError(
            f"{model} was fitted on graphs with other features",
            expected=_shown(name, expected),
            got=_shown(name, got),
            blame=f"{name} of the graph",
            hint="give the features that it was fitted with, in the same order, or fit another model",
        )


def _shown(name: str, columns: int | None) -> str:
    if columns is None:
        return f"no {name}"
    return f"{name} with {columns} column{'s' if columns != 1 else ''}"


def check_pairs(request: GraphScore, config: NetworkConfig, model: str) -> None:
    """Raise `InputError` where pairs are given to a network that reads features of edges, which pairs have not."""
    if request.edges is not None and config.edge_features:
        raise InputError(
            f"{model} reads the features of edges, and a pair that is no edge has none",
            expected="edges=None, for the graph's own edges",
            got=f"{request.num_targets} pairs",
            blame="edges of the request",
            hint="add the pairs to the graph as edges with their features",
        )
