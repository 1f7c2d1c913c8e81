"""Loader `adamic-adar`: links foretold from common neighbours (Adamic and Adar 2003). Nothing is learned."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from metier_contracts import CallContext, GraphScores, MetierError, ModelCard, Placement, Request, Response
from metier_contracts.authoring import attempt, read_options

from metier_gnn.adjacency import adjacency
from metier_gnn.answers import asked_of
from metier_gnn.options import AdamicAdarOptions
from metier_gnn.pairs import common_neighbours


class AdamicAdar:
    """The sum over the common neighbours of a pair of 1 / log degree; directions and features are not read."""

    device = "cpu"
    dtype = None

    def __init__(self, card: ModelCard, options: AdamicAdarOptions) -> None:
        self.card = card
        self._options = options

    def infer(self, requests: Sequence[Request[Any]], context: CallContext) -> Sequence[Response | MetierError]:
        """Answer each request, in order; checks `context` before each."""
        return [attempt(partial(self._answer, request, context)) for request in requests]

    def _answer(self, request: Request[Any], context: CallContext) -> GraphScores:
        context.check()
        asked = asked_of(request, self.card)
        graph = asked.graph
        pairs = graph.edge_index if asked.edges is None else asked.edges
        matrix = adjacency(graph.edge_index, graph.num_nodes, both_ways=True)
        columns = common_neighbours(matrix, pairs, self._options.block_pairs)
        return GraphScores(scores=columns[:, 1:2], labels=("adamic-adar",))

    def resident_bytes(self) -> int:
        """Return 0: nothing is kept between calls."""
        return 0

    def close(self) -> None:
        """Do nothing: nothing is held."""


def load(card: ModelCard, placement: Placement) -> AdamicAdar:
    """Return the model; it has no weights."""
    return AdamicAdar(card, read_options(AdamicAdarOptions, card))
