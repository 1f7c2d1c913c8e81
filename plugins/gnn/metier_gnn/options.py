"""What a card's `options` may say, for each loader."""

from __future__ import annotations

from metier_contracts.authoring import LoaderOptions
from metier_contracts.refusal import Refusal
from pydantic import Field, model_validator


class NetworkOptions(LoaderOptions):
    """Options of `network`, a fitted model.

    `batch_edges`: requests are gathered up to so many edges into one pass. `block_edges`: attention looks at no more
    edges at once, block after block of the nodes; the answer is the same.
    """

    batch_edges: int = Field(default=262_144, ge=1)
    block_edges: int = Field(default=262_144, ge=1)


class ScratchOptions(LoaderOptions):
    """Options of `from-scratch`: of the networks it fits, and of how it learns from a request's own graph.

    `hidden`: width of a layer; `layers`: how many, so how many steps away a node sees; `heads` of attention, which
    divide `hidden`; `dropout`; `weight_decay`. `full_edges`: a larger graph is learned from by neighbour sampling, in
    batches of `batch_nodes`, with at most `fan_out` neighbours of a node in each layer. `batch_graphs`: the graphs of
    one step at graph level. `epochs`, `learning_rate`: of what it learns from a request's graph alone; `attributes`:
    the share of the features, beside that of the edges, in how unusual a node is.
    """

    hidden: int = Field(default=64, ge=1)
    layers: int = Field(default=2, ge=1)
    heads: int = Field(default=4, ge=1)
    dropout: float = Field(default=0.2, ge=0, lt=1)
    weight_decay: float = Field(default=5e-4, ge=0)
    full_edges: int = Field(default=2_000_000, ge=0)
    batch_nodes: int = Field(default=1024, ge=1)
    fan_out: int = Field(default=15, ge=1)
    batch_graphs: int = Field(default=64, ge=1)
    epochs: int = Field(default=100, ge=1)
    learning_rate: float = Field(default=1e-2, gt=0)
    attributes: float = Field(default=0.5, ge=0, le=1)

    @model_validator(mode="after")
    def _check(self) -> ScratchOptions:
        if self.hidden % self.heads:
            raise Refusal(f"a divisor of hidden, {self.hidden}", str(self.heads), field="heads")
        return self


class AdamicAdarOptions(LoaderOptions):
    """Options of `adamic-adar`. `block_pairs`: the pairs that are looked at together."""

    block_pairs: int = Field(default=65_536, ge=1)


class ChempropOptions(LoaderOptions):
    """Options of `chemprop`. `probabilities`: the networks were trained on classes, and their outputs are logits.

    `batch_edges`: molecules are gathered up to so many edges into one pass.
    """

    probabilities: bool = False
    batch_edges: int = Field(default=2_048, ge=1)
