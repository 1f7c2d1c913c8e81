"""Loader `chemprop`: properties of molecules, by the mean of several trained networks of Chemprop 2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from metier_contracts import (
    CallContext,
    Graph,
    GraphScore,
    GraphScores,
    InputError,
    MetierError,
    ModelCard,
    ModelLoadError,
    Placement,
    Request,
    Response,
)
from metier_contracts.authoring import module_bytes, read_options
from numpy.typing import NDArray

from metier_gnn.adjacency import joined
from metier_gnn.answers import asked_of, check_width
from metier_gnn.bond_messages import BondNetwork, from_checkpoint
from metier_gnn.gathering import answered_in_passes
from metier_gnn.inert import read_inert
from metier_gnn.options import ChempropOptions
from metier_gnn.placing import tensor_of


class Chemprop:
    """Scores molecules: a row for each, a column for each property. `metier_gnn.molecules` makes graphs of SMILES."""

    dtype = "float32"

    def __init__(
        self,
        card: ModelCard,
        networks: Sequence[BondNetwork],
        labels: tuple[str, ...],
        device: str,
        options: ChempropOptions,
    ) -> None:
        self.card = card
        self.device = device
        self._networks = [network.to(device) for network in networks]
        self._labels = labels
        self._options = options
        self._bytes = sum(map(module_bytes, networks))

    def infer(self, requests: Sequence[Request[Any]], context: CallContext) -> Sequence[Response | MetierError]:
        """Answer each request, in order; checks `context` before each pass."""
        return answered_in_passes(requests, self._checked, self._pass, self._options.batch_edges, context)

    def _checked(self, request: Request[Any]) -> GraphScore:
        asked = asked_of(request, self.card)
        atoms, bonds = self._networks[0].widths
        check_width("x", asked.graph.x, atoms, self.card.id)
        check_width("edge_attr", asked.graph.edge_attr, bonds, self.card.id)
        reverses(asked.graph)
        return asked

    @torch.inference_mode()
    def _pass(self, requests: Sequence[GraphScore]) -> list[GraphScores]:
        graphs = [request.graph for request in requests]
        sizes = [graph.num_nodes for graph in graphs]
        counts = np.cumsum([0, *(graph.num_edges for graph in graphs)])
        backs = [reverses(graph) + count for graph, count in zip(graphs, counts[:-1], strict=True)]
        parts: list[NDArray[Any]] = [
            np.concatenate([graph.x for graph in graphs if graph.x is not None]),
            joined([graph.edge_index for graph in graphs], sizes),
            np.concatenate([graph.edge_attr for graph in graphs if graph.edge_attr is not None]),
            np.concatenate(backs),
            np.repeat(np.arange(len(graphs)), sizes),
        ]
        tensors = [tensor_of(part, self.device) for part in parts]
        outputs = torch.stack([self._scores(network(*tensors)) for network in self._networks])
        scores: NDArray[np.float32] = outputs.mean(dim=0).cpu().numpy()
        return [GraphScores(scores=row[None], labels=self._labels) for row in scores]

    def _scores(self, outputs: torch.Tensor) -> torch.Tensor:
        return outputs.sigmoid() if self._options.probabilities else outputs

    def resident_bytes(self) -> int:
        """Return the bytes of the weights."""
        return self._bytes

    def close(self) -> None:
        """Drop the weights."""
        self._networks = []


def reverses(graph: Graph) -> NDArray[np.int64]:
    """Return int64 [E], the place of each bond's other direction; raise `InputError` where one has none."""
    sources, targets = graph.edge_index
    keys, wanted = sources * graph.num_nodes + targets, targets * graph.num_nodes + sources
    order = np.argsort(keys, kind="stable")
    places = np.searchsorted(keys[order], wanted) if len(order) else order
    found = order[np.minimum(places, len(order) - 1)] if len(order) else order
    if (keys[found] != wanted).any():
        raise InputError(
            "a bond leads one way",
            expected="each bond in both directions",
            got=f"{graph.num_edges} edges, some without their reverse",
            blame="edge_index of the graph",
            hint="metier_gnn.molecules.molecule(smiles) makes such graphs",
        )
    return found


def load(card: ModelCard, placement: Placement) -> Chemprop:
    """Return the mean of the networks in `placement.directory`, files model_*.pt."""
    options = read_options(ChempropOptions, card)
    paths = [] if placement.directory is None else sorted(placement.directory.glob("model_*.pt"))
    if not paths:
        raise ModelLoadError(
            f"no weights for {card.id}",
            expected="files model_0.pt, model_1.pt, ... of Chemprop 2",
            got="none" if placement.directory else "no folder",
            blame=f"`source` of the card {card.id}",
        )
    contents = [read_inert(path) for path in paths]
    labels = tuple(contents[0]["output_columns"])
    return Chemprop(card, [from_checkpoint(one) for one in contents], labels, placement.device, options)
