"""Loader `from-scratch`: no weights; it learns from the request's own graph, and networks are fitted by it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from metier_contracts import (
    CallContext,
    Capabilities,
    FitRequest,
    GraphFit,
    GraphSchema,
    GraphScore,
    GraphScores,
    MetierError,
    ModelCard,
    Placement,
    Request,
    Response,
    UnsupportedError,
)
from metier_contracts.authoring import attempt, module_bytes, read_options

from metier_gnn.anomalies import unusual
from metier_gnn.answers import asked_of
from metier_gnn.checkpoint import save
from metier_gnn.config import NetworkConfig
from metier_gnn.fitted import FittedNetwork
from metier_gnn.network import Network
from metier_gnn.options import NetworkOptions, ScratchOptions
from metier_gnn.training import fit_network


class FromScratch:
    """Learns from each request's graph, without labels: how unusual its nodes are, or how likely pairs are linked.

    Fitted with targets (`fit`), it writes networks that answer without learning.
    """

    dtype = "float32"

    def __init__(self, card: ModelCard, options: ScratchOptions, device: str) -> None:
        self.card = card
        self.device = device
        self._options = options

    def infer(self, requests: Sequence[Request[Any]], context: CallContext) -> Sequence[Response | MetierError]:
        """Answer each request, in order, with the same answer for the same seed; checks `context` before each step."""
        return [attempt(partial(self._answer, request, context)) for request in requests]

    def _answer(self, request: Request[Any], context: CallContext) -> GraphScores:
        asked, seed = asked_of(request, self.card), context.seed or 0
        if asked.level == "node":
            scores = unusual(asked.graph, self._options, self.device, seed, context)
            return GraphScores(scores=scores[:, None], labels=("unusual",))
        return self._links(asked, seed, context)

    def _links(self, asked: GraphScore, seed: int, context: CallContext) -> GraphScores:
        request = GraphFit(
            id="links",
            graphs=[asked.graph],
            level="edge",
            architecture="edge",
            seed=seed,
            epochs=self._options.epochs,
            learning_rate=self._options.learning_rate,
        )
        network = fit_network(request, self._options, self.device, context)
        fitted = FittedNetwork(self.card, network, self.device, NetworkOptions(loader="network"))
        [answer] = fitted.infer([asked], context)
        if not isinstance(answer, GraphScores):
            raise answer if isinstance(answer, MetierError) else TypeError(type(answer).__name__)
        return answer

    def fit(self, request: FitRequest, directory: Path, context: CallContext) -> ModelCard:
        """Write the network that a `GraphFit` wants into `directory`, config.json and model.safetensors."""
        if not isinstance(request, GraphFit):
            raise UnsupportedError(
                f"{self.card.id} cannot be fitted by {type(request).__name__}",
                expected="GraphFit",
                got=type(request).__name__,
                blame="the fit request",
            )
        network = fit_network(request, self._options, self.device, context)
        save(network, directory)
        return _card(self.card, request, network)

    def resident_bytes(self) -> int:
        """Return 0: nothing is kept between calls."""
        return 0

    def close(self) -> None:
        """Do nothing: nothing is held."""


def _card(base: ModelCard, request: GraphFit, network: Network) -> ModelCard:
    config = network.config
    return ModelCard(
        id=request.id,
        plugin=base.plugin,
        architecture="gnn",
        licence=base.licence,
        bytes=module_bytes(network),
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        devices=base.devices,
        dtypes=base.dtypes,
        summary=_summary(config),
        options={"loader": "network"},
        tasks={"graph-score": Capabilities(levels=(config.level,), labels=config.labels, graphs=_graphs(config))},
    )


def _graphs(config: NetworkConfig) -> GraphSchema:
    return GraphSchema(config.features or 0, config.edge_features or None)


def _summary(config: NetworkConfig) -> str:
    does = {"classes": "tells the classes of", "value": "predicts a value for", "link": "foretells links by scoring"}
    reads = "their place in the graph" if config.features is None else f"{config.features} features"
    return f"{config.architecture.upper()}: {does[config.goal]} {config.level}s, from {reads} of nodes."


def load(card: ModelCard, placement: Placement) -> FromScratch:
    """Return the model; it has no weights."""
    return FromScratch(card, read_options(ScratchOptions, card), placement.device)
