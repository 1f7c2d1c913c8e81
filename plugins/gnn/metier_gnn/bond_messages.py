"""The network of Chemprop (Yang et al. 2019): messages live on bonds, one in each direction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn


class BondNetwork(nn.Module):
    """A network as a checkpoint of Chemprop 2 describes it: bond messages, the scaled sum over atoms, and two layers.

    `norm`: what the sum over a molecule's atoms is divided by. Its names are those of the checkpoint's tensors.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, settings: Mapping[str, Any], outputs: int) -> None:
        super().__init__()
        passing, hidden = settings["message_passing"], settings["message_passing"]["d_h"]
        atoms, bonds = passing["d_v"], passing["d_e"]
        self.depth, self.norm = passing["depth"], settings["agg"]["norm"]
        self.widths = atoms, bonds
        self.enter = nn.Linear(atoms + bonds, hidden, bias=passing["bias"])
        self.inner = nn.Linear(hidden, hidden, bias=passing["bias"])
        self.leave = nn.Linear(atoms + hidden, hidden)
        self.first = nn.Linear(hidden, settings["predictor"]["hidden_dim"])
        self.last = nn.Linear(settings["predictor"]["hidden_dim"], outputs)
        self.register_buffer("mean", torch.zeros(1, outputs))
        self.register_buffer("scale", torch.ones(1, outputs))

    def forward(
        self, x: torch.Tensor, edges: torch.Tensor, bonds: torch.Tensor, back: torch.Tensor, graph_of: torch.Tensor
    ) -> torch.Tensor:
        """Return float32 [G, outputs].

        `x`: atoms [N, V]; `edges`: int64 [2, E]; `bonds`: [E, B]; `back`: int64 [E], each edge's reverse;
        `graph_of`: int64 [N], ascending, with every graph from 0 to G - 1.
        """
        sources, targets = edges
        start = self.enter(torch.cat([x[sources], bonds], dim=1))
        values = start.relu()
        for _ in range(1, self.depth):
            heard = _sum(values, targets, len(x))[sources] - values[back]
            values = (start + self.inner(heard)).relu()
        atoms = self.leave(torch.cat([x, _sum(values, targets, len(x))], dim=1)).relu()
        molecules = _sum(atoms, graph_of, int(graph_of[-1]) + 1) / self.norm
        told: torch.Tensor = self.last(self.first(molecules).relu())
        return told * self.scale + self.mean


def _sum(values: torch.Tensor, places: torch.Tensor, count: int) -> torch.Tensor:
    return torch.zeros(count, values.shape[1], device=values.device).index_add(0, places, values)


_NAMES = {
    "message_passing.W_i": "enter",
    "message_passing.W_h": "inner",
    "message_passing.W_o": "leave",
    "predictor.ffn.0.0": "first",
    "predictor.ffn.1.2": "last",
    "predictor.output_transform": "",
}
_NO_WEIGHTS = ("metrics.", "predictor.criterion.")


def from_checkpoint(content: Mapping[str, Any]) -> BondNetwork:
    """Return the network in what a checkpoint of Chemprop 2 holds; raise ValueError for a kind that is not this one."""
    settings, tensors = content["hyper_parameters"], content["state_dict"]
    passing = settings["message_passing"]
    if settings["batch_norm"] or passing["undirected"] or passing.get("d_vd") or settings["predictor"]["n_layers"] != 1:
        raise ValueError("a Chemprop network with batch norm, undirected messages, descriptors or more layers")
    network = BondNetwork(settings, len(content["output_columns"]))
    network.load_state_dict({**_own(network), **dict(map(_renamed, _weights(tensors)))})
    return network.eval()


def _own(network: BondNetwork) -> dict[str, torch.Tensor]:
    return {"mean": network.mean, "scale": network.scale}


def _weights(tensors: Mapping[str, torch.Tensor]) -> list[tuple[str, torch.Tensor]]:
    return [(name, tensor) for name, tensor in tensors.items() if not name.startswith(_NO_WEIGHTS)]


def _renamed(item: tuple[str, torch.Tensor]) -> tuple[str, torch.Tensor]:
    name, tensor = item
    stem, _, kind = name.rpartition(".")
    return f"{_NAMES[stem]}.{kind}".lstrip("."), tensor
