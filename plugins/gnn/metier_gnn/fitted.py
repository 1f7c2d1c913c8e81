"""Loader `network`: a fitted network, which scores graphs that have the features it was fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from metier_contracts import (
    CallContext,
    GraphScore,
    GraphScores,
    MetierError,
    ModelCard,
    ModelLoadError,
    Placement,
    Request,
    Response,
)
from metier_contracts.authoring import module_bytes, read_options

from metier_gnn.answers import asked_of, check_features, check_pairs
from metier_gnn.checkpoint import load_network
from metier_gnn.gathering import Gathered, about_pairs, answered_in_passes
from metier_gnn.network import Batch, Network
from metier_gnn.options import NetworkOptions
from metier_gnn.placing import tensor_of


class FittedNetwork:
    """Scores whole graphs, layer after layer over all nodes: no neighbour is left out, however large the graph.

    A node's scores do not depend on which other nodes, pairs or graphs are asked about in the same call.
    """

    dtype = "float32"

    def __init__(self, card: ModelCard, network: Network, device: str, options: NetworkOptions) -> None:
        self.card = card
        self.device = device
        self._network: Any = network
        self._config = network.config
        self._options = options
        self._bytes = module_bytes(network)

    def infer(self, requests: Sequence[Request[Any]], context: CallContext) -> Sequence[Response | MetierError]:
        """Answer each request, in order; checks `context` before each pass."""
        return answered_in_passes(requests, self._checked, self._pass, self._options.batch_edges, context)

    def _checked(self, request: Request[Any]) -> GraphScore:
        asked = asked_of(request, self.card)
        check_features(asked.graph, self._config, self.card.id)
        check_pairs(asked, self._config, self.card.id)
        return asked

    @torch.inference_mode()
    def _pass(self, requests: Sequence[GraphScore]) -> list[GraphScores]:
        gathered = Gathered.of([request.graph for request in requests], self._config)
        batch = gathered.batch(self._config, self.device, self._options.block_edges)
        if self._config.level == "edge":
            batch = self._with_pairs(batch, gathered, requests)
        outputs, embeddings = self._network.read(batch)
        scores = self._network.scores(outputs).cpu().numpy()
        vectors = None if embeddings is None else embeddings.cpu().numpy()
        ends = np.cumsum([request.num_targets for request in requests])
        return [
            GraphScores(
                scores=scores[end - request.num_targets : end],
                labels=self._config.labels,
                embeddings=None if vectors is None else vectors[end - request.num_targets : end],
            )
            for request, end in zip(requests, ends, strict=True)
        ]

    def _with_pairs(self, batch: Batch, gathered: Gathered, requests: Sequence[GraphScore]) -> Batch:
        own = [request.graph.edge_index if request.edges is None else request.edges for request in requests]
        pairs = np.concatenate([one + start for one, start in zip(own, gathered.starts, strict=True)], axis=1)
        edge_attr = None
        if self._config.edge_features:
            edge_attr = np.concatenate([request.graph.edge_attr for request in requests])
        about = about_pairs(gathered.matrix, pairs, edge_attr, self._config)
        return replace(batch, pairs=tensor_of(pairs, self.device), about=tensor_of(about, self.device))

    def resident_bytes(self) -> int:
        """Return the bytes of the weights."""
        return self._bytes

    def close(self) -> None:
        """Drop the weights."""
        self._network = None


def load(card: ModelCard, placement: Placement) -> FittedNetwork:
    """Return the model in `placement.directory`."""
    options = read_options(NetworkOptions, card)
    if placement.directory is None:
        raise ModelLoadError(
            f"no weights for {card.id}",
            expected="a folder",
            got="None",
            blame=f"`source` of the card {card.id}",
            hint="Runtime.fit(GraphFit(...)) makes such a model",
        )
    return FittedNetwork(card, load_network(placement.directory, placement.device), placement.device, options)
