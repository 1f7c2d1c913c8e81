"""Graphs that are known, cards, and fitted models of each architecture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import metier_gnn
import networkx as nx
import numpy as np
import pytest
from metier_contracts import CallContext, Graph, GraphFit, ModelCard, Placement, read_manifest
from metier_contracts.hooks import MANIFEST_NAME
from metier_gnn.plugin import metier_load

Fit = Callable[..., Any]


@pytest.fixture(scope="session")
def cards() -> Mapping[str, ModelCard]:
    manifest = read_manifest(Path(metier_gnn.__file__).with_name(MANIFEST_NAME))
    return {card.id: card for card in manifest.models}


@pytest.fixture(scope="session")
def karate() -> Graph:
    """Zachary's karate club: 34 members, 78 ties in both directions; each member is its own feature."""
    graph = Graph.from_networkx(nx.karate_club_graph())
    return graph.model_copy(update={"x": np.eye(34, dtype=np.float32)})


@pytest.fixture(scope="session")
def clubs() -> np.ndarray:
    """int64 [34], 1 for the members who went with the officer."""
    graph = nx.karate_club_graph()
    return np.array([int(graph.nodes[node]["club"] == "Officer") for node in graph])


@pytest.fixture(scope="session")
def les_miserables() -> Graph:
    """Knuth's graph of who meets whom in Les Miserables: 77 characters, 254 pairs in both directions."""
    return Graph.from_networkx(nx.les_miserables_graph())


@pytest.fixture
def context() -> CallContext:
    return CallContext()


@pytest.fixture(scope="session")
def scratch(cards: Mapping[str, ModelCard]) -> Callable[..., Any]:
    """The base of fits, with other options where they are given."""

    def scratch(**options: Any) -> Any:
        card = cards["gnn/from-scratch"]
        return metier_load(card=card.model_copy(update={"options": {**card.options, **options}}), placement=Placement())

    return scratch


@pytest.fixture(scope="session")
def fit(scratch: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Fit:
    """Fit a model and load what was written. `base`: options of the base; `reads`: those of the fitted model."""

    def fit(*, base: Mapping[str, Any] | None = None, reads: Mapping[str, Any] | None = None, **fields: Any) -> Any:
        folder = tmp_path_factory.mktemp("fitted")
        card = scratch(**(base or {})).fit(GraphFit(id="fitted", **fields), folder, CallContext())
        card = card.model_copy(update={"options": {**card.options, **(reads or {})}})
        return metier_load(card=card, placement=Placement(directory=folder))

    return fit
