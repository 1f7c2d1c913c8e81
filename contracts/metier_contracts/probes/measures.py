"""Series and graphs as they occur: monthly sales with a trend and a season, acquaintances with a few hubs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from metier_contracts.data.graph import Graph
from metier_contracts.data.series import Series
from metier_contracts.semantics import GraphSchema

_NEIGHBOURS = 4


def sales(points: int, number: int) -> Series:
    """Return a monthly series of positive values; each number another."""
    random = np.random.default_rng(number)
    months = np.arange(points)
    season = 1 + 0.3 * np.sin(2 * np.pi * (months + number) / 12)
    values = (100 + 0.5 * months) * season + random.normal(0, 5, points)
    return Series(values=values, frequency="MS", name="sales")


def acquaintances(edges: int, number: int, schema: GraphSchema | None = None) -> Graph:
    """Return a graph of about so many directed edges, each in both directions; each number another.

    Newcomers become acquainted with whoever knows many already (Barabasi and Albert, 1999). Nodes and edges have the
    features of the schema, drawn from a standard normal distribution.
    """
    random = np.random.default_rng(number)
    count = max(3, edges // (2 * _NEIGHBOURS))
    ends = [0, 1]
    for newcomer in range(2, count):
        chosen = {int(ends[at]) for at in random.integers(0, len(ends), _NEIGHBOURS)}
        ends += [end for known in sorted(chosen) for end in (newcomer, known)]
    pairs = np.asarray(ends, dtype=np.int64).reshape(-1, 2).T
    edge_index = np.concatenate([pairs, pairs[::-1]], axis=1)
    wanted = schema or GraphSchema()
    return Graph(
        edge_index=edge_index,
        num_nodes=count,
        x=_drawn(random, count, wanted.node_features),
        edge_attr=_drawn(random, edge_index.shape[1], wanted.edge_features),
    )


def _drawn(random: np.random.Generator, rows: int, columns: tuple[str, ...] | int | None) -> NDArray[np.float32] | None:
    width = len(columns) if isinstance(columns, tuple) else columns
    return random.standard_normal((rows, width), dtype=np.float32) if width else None
