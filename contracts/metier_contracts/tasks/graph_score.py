"""graph-score: score nodes, edges or whole graphs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from metier_contracts.arrays import ArraySpec, Vectors
from metier_contracts.card import Capabilities
from metier_contracts.data.graph import Graph
from metier_contracts.invariants import Violation, length
from metier_contracts.refusal import Refusal
from metier_contracts.request import Request, Response
from metier_contracts.semantics import GraphSchema
from metier_contracts.size import Size

Level = Literal["node", "edge", "graph"]


class GraphScores(Response):
    """`scores`: float32 [K, C], a row for each node, edge or graph, a column for each class (one for a regression).

    `labels`: the names of the columns, or None. `embeddings`: float32 [K, D], or None.
    """

    scores: Vectors
    labels: tuple[str, ...] | None = None
    embeddings: Vectors | None = None


class GraphScore(Request[GraphScores]):
    """Score a graph at one level. `edges`: int64 [2, K], the pairs to score at edge level; None for the graph's own."""

    task: ClassVar[str] = "graph-score"

    graph: Graph
    level: Level = "node"
    edges: Annotated[NDArray[np.int64], ArraySpec("int64", "2 K")] | None = None

    @model_validator(mode="after")
    def _check(self) -> GraphScore:
        if self.edges is None:
            return self
        if self.level != "edge":
            raise Refusal("no edges unless level='edge'", f"edges at level={self.level!r}", field="edges")
        if self.edges.shape[0] != 2 or self.edges.shape[1] == 0:
            raise Refusal("an array of shape [2, K] with K >= 1", f"shape {list(self.edges.shape)}", field="edges")
        outside = (self.edges < 0) | (self.edges >= self.graph.num_nodes)
        if outside.any():
            raise Refusal(
                f"nodes in 0..{self.graph.num_nodes - 1}, those of the graph",
                f"node {int(self.edges[outside][0])}",
                field="edges",
            )
        return self

    @property
    def num_targets(self) -> int:
        """K: how many nodes, edges or graphs are scored."""
        if self.level == "node":
            return self.graph.num_nodes
        if self.level == "graph":
            return 1
        return self.graph.num_edges if self.edges is None else int(self.edges.shape[1])

    def needs(self) -> Mapping[str, Any]:
        """Return the capabilities this request needs."""
        return {"levels": frozenset({self.level}), "graphs": GraphSchema().seen_in(self.graph)}

    def workload(self) -> Size:
        """Return the directed edges of the graph."""
        return Size(self.graph.num_edges, "edges")


def one_row_a_target(request: GraphScore, response: GraphScores, capabilities: Capabilities) -> Violation | None:
    """There is one row of scores, and of embeddings where there are any, for each target."""
    count = request.num_targets
    embeddings = response.embeddings
    return length("scores", len(response.scores), count, request.level) or (
        None if embeddings is None else length("embeddings", len(embeddings), count, request.level)
    )


def one_label_a_column(request: GraphScore, response: GraphScores, capabilities: Capabilities) -> Violation | None:
    """Labels, where there are any, name the columns of the scores."""
    if response.labels is None:
        return None
    return length("labels", len(response.labels), response.scores.shape[1], "column of scores")


INVARIANTS = (one_row_a_target, one_label_a_column)
