"""`NetworkConfig`: what a fitted network is, as its config.json says."""

from __future__ import annotations

from typing import Literal

from metier_contracts.contract import Contract
from pydantic import Field

NetworkName = Literal["gcn", "sage", "gat", "gin", "edge"]
Goal = Literal["classes", "value", "link"]
Level = Literal["node", "edge", "graph"]


class NetworkConfig(Contract):
    """What a network is.

    `goal`: what a row of scores holds: the probabilities of classes that exclude each other, a value, or the
    probability of a link. `features`: columns of `x`, or None for a network that reads the places of nodes.
    `edge_features`: columns of `edge_attr`, 0 for a network that does not read them. `both_ways`: messages pass along
    edges and back, since the graphs it was fitted on hold edges without their reverse.
    """

    architecture: NetworkName
    level: Level
    goal: Goal
    outputs: int = Field(ge=1)
    labels: tuple[str, ...] | None = None
    features: int | None = Field(default=None, ge=0)
    edge_features: int = Field(default=0, ge=0)
    both_ways: bool
    hidden: int = Field(ge=1)
    layers: int = Field(ge=1)
    heads: int = Field(ge=1)
    dropout: float = Field(ge=0, lt=1)
