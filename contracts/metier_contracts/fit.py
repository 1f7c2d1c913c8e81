"""Fit requests: what `Runtime.fit` takes. Each yields safetensors and a `ModelCard` with its lineage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from metier_contracts.arrays import ArraySpec
from metier_contracts.card import ModelId
from metier_contracts.contract import Contract
from metier_contracts.data.graph import Graph
from metier_contracts.examples import ExampleSet
from metier_contracts.tasks.extract import Entity
from metier_contracts.text import Text


class FitRequest(Contract):
    """The base of every fit request. `id`: the new model's id; `base`: the one to start from, None for the default."""

    task: ClassVar[str]

    id: ModelId
    base: ModelId | None = None
    seed: int = 0


class ClassifyFit(FitRequest):
    """Fit a classifier of texts.

    `method`: "head" fits a logistic regression on the base's embeddings (seconds); "fine-tune" trains the whole encoder
    with a new head (minutes). `epochs`, `learning_rate` and `batch_size` serve fine-tuning alone.
    """

    task: ClassVar[str] = "classify"

    examples: ExampleSet
    method: Literal["head", "fine-tune"] = "head"
    epochs: int = Field(default=1, ge=1)
    learning_rate: float = Field(default=5e-5, gt=0)
    batch_size: int = Field(default=32, ge=1)

    @model_validator(mode="after")
    def _check(self) -> ClassifyFit:
        if len(self.examples.labels) < 2:
            raise ValueError(f"examples of at least two labels, got only {self.examples.labels[0]!r}")
        return self


class AnnotatedText(Contract):
    """A text and the entities in it."""

    text: Text
    entities: tuple[Entity, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> AnnotatedText:
        for entity in self.entities:
            found = self.text[entity.start : entity.end]
            if found != entity.text:
                raise ValueError(f"{entity.text!r} at {entity.start}:{entity.end} of the text, got {found!r}")
        return self


class ExtractFit(FitRequest):
    """Fit a token classifier on annotated texts, by fine-tuning the base."""

    task: ClassVar[str] = "extract"

    examples: Sequence[AnnotatedText] = Field(min_length=1)
    epochs: int = Field(default=3, ge=1)
    learning_rate: float = Field(default=5e-5, gt=0)
    batch_size: int = Field(default=16, ge=1)

    @model_validator(mode="after")
    def _check(self) -> ExtractFit:
        if not any(example.entities for example in self.examples):
            raise ValueError("at least one entity among the examples")
        return self


class GraphFit(FitRequest):
    """Fit a graph model.

    `targets`: int64 [K], the class of each node or edge in `indices`, or of each graph. `indices`: int64 [K], default
    all. `edges` takes no targets: link prediction learns from the graph's own edges.
    """

    task: ClassVar[str] = "graph-score"

    graphs: Sequence[Graph] = Field(min_length=1)
    level: Literal["node", "edge", "graph"] = "node"
    targets: Annotated[NDArray[np.int64], ArraySpec("int64", "K")] | None = None
    indices: Annotated[NDArray[np.int64], ArraySpec("int64", "K")] | None = None
    architecture: Literal["gcn", "sage", "gat", "gin", "edge"] = "sage"
    epochs: int = Field(default=100, ge=1)
    learning_rate: float = Field(default=1e-2, gt=0)

    @model_validator(mode="after")
    def _check(self) -> GraphFit:
        if self.level != "graph" and len(self.graphs) != 1:
            raise ValueError(f"one graph at level {self.level!r}, got {len(self.graphs)}")
        if self.level != "edge" and self.targets is None:
            raise ValueError(f"targets at level {self.level!r}")
        if self.indices is not None and (self.targets is None or len(self.indices) != len(self.targets)):
            raise ValueError("one target for each index")
        return self


class CascadeFit(FitRequest):
    """Fit the threshold below which a cascade hands on from the model `cheap` to the model `strong`.

    `max_loss`: the accuracy that may be lost against `strong`, with probability `confidence`.
    """

    task: ClassVar[str] = "classify"

    cheap: ModelId
    strong: ModelId
    labelled: ExampleSet
    max_loss: float = Field(default=0.01, ge=0, lt=1)
    confidence: float = Field(default=0.95, gt=0, lt=1)
