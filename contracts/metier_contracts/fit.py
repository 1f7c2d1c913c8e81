"""Fit requests: what `Runtime.fit` takes. Each yields safetensors and a `ModelCard` with its lineage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from metier_contracts.arrays import ArraySpec
from metier_contracts.contract import Contract
from metier_contracts.data.graph import Graph
from metier_contracts.examples import ExampleSet
from metier_contracts.identity import ModelId
from metier_contracts.refusal import Refusal, shown
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
            raise Refusal("at least two labels", f"only {shown(self.examples.labels)}", field="examples")
        return self


class AnnotatedText(Contract):
    """A text and the entities in it."""

    text: Text
    entities: tuple[Entity, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> AnnotatedText:
        for position, entity in enumerate(self.entities):
            if not entity.stands_in(self.text):
                found = self.text[entity.start : entity.end]
                wanted = f"{shown(entity.text)} at {entity.start}:{entity.end} of the text"
                raise Refusal(
                    wanted, f"{shown(found)} in a text of {len(self.text)} characters", field=f"entities[{position}]"
                )
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
            raise Refusal("at least one entity among the examples", "none", field="examples")
        return self


class GraphFit(FitRequest):
    """Fit a graph model.

    `targets`: int64 [K], the class of each node or edge in `indices`, or of each graph; `labels`: the classes' names.
    `values`: float32 [K], numbers to predict in place of classes. `indices`: int64 [K], default all. `edges` takes
    neither targets nor values: link prediction learns from the graph's own edges.
    """

    task: ClassVar[str] = "graph-score"

    graphs: Sequence[Graph] = Field(min_length=1)
    level: Literal["node", "edge", "graph"] = "node"
    targets: Annotated[NDArray[np.int64], ArraySpec("int64", "K")] | None = None
    values: Annotated[NDArray[np.float32], ArraySpec("float32", "K", finite=True)] | None = None
    labels: tuple[str, ...] | None = None
    indices: Annotated[NDArray[np.int64], ArraySpec("int64", "K")] | None = None
    architecture: Literal["gcn", "sage", "gat", "gin", "edge"] = "sage"
    epochs: int = Field(default=100, ge=1)
    learning_rate: float = Field(default=1e-2, gt=0)

    @model_validator(mode="after")
    def _check(self) -> GraphFit:
        if self.level != "graph" and len(self.graphs) != 1:
            raise Refusal(f"one graph at level {self.level!r}", str(len(self.graphs)), field="graphs")
        if self.targets is not None and self.values is not None:
            raise Refusal("targets or values", "both", field="values")
        if self.level != "edge" and self.targets is None and self.values is None:
            raise Refusal(f"the classes to learn at level {self.level!r}", "None", field="targets")
        if self.level == "graph" and self.indices is not None:
            raise Refusal("no indices at level 'graph'", f"{len(self.indices)}", field="indices")
        if self.targets is not None:
            self._check_count(len(self.targets), "targets")
            self._check_classes(self.targets)
        elif self.labels is not None:
            raise Refusal("targets that the labels name", "None", field="targets")
        if self.values is not None:
            self._check_count(len(self.values), "values")
        elif self.targets is None and self.indices is not None:
            raise Refusal("a target for each index", "None", field="targets")
        return self

    def _check_count(self, given: int, field: str) -> None:
        graph = self.graphs[0]
        all_of = {"node": graph.num_nodes, "edge": graph.num_edges, "graph": len(self.graphs)}[self.level]
        count, of = (all_of, f"{self.level}s") if self.indices is None else (len(self.indices), "indices")
        if given != count:
            raise Refusal(f"as many as there are {of}: {count}", str(given), field=field)
        if self.indices is not None and ((self.indices < 0) | (self.indices >= all_of)).any():
            raise Refusal(f"indices in 0..{all_of - 1}", shown(self.indices.tolist()), field="indices")

    def _check_classes(self, targets: NDArray[np.int64]) -> None:
        if (targets < 0).any():
            raise Refusal("classes from 0 up", str(int(targets.min())), field="targets")
        if self.labels is None:
            return
        if len(set(self.labels)) != len(self.labels):
            raise Refusal("each label once", shown(self.labels), field="labels")
        if targets.size and targets.max() >= len(self.labels):
            raise Refusal(f"a label for each class: {int(targets.max()) + 1}", str(len(self.labels)), field="labels")


class CascadeFit(FitRequest):
    """Fit the threshold below which a cascade hands on from the model `cheap` to the model `strong`.

    `labelled`: texts drawn as those to come will be, none of which either model has learned from. `max_loss`: the
    accuracy that may be lost against `strong`; with probability `confidence` over the draw of the texts no more is.
    """

    task: ClassVar[str] = "classify"

    cheap: ModelId
    strong: ModelId
    labelled: ExampleSet
    max_loss: float = Field(default=0.01, ge=0, lt=1)
    confidence: float = Field(default=0.95, gt=0, lt=1)

    @model_validator(mode="after")
    def _check(self) -> CascadeFit:
        if self.cheap == self.strong:
            raise Refusal("two models", f"{self.cheap!r} as both", field="strong")
        if self.base is not None:
            raise Refusal("no base beside cheap and strong", repr(self.base), field="base")
        return self
