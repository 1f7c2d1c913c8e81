"""What a network learns from, epoch after epoch: batches of nodes, edges or graphs with the truth about them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from metier_contracts import Graph, GraphFit, InputError
from numpy.typing import NDArray

from metier_gnn.adjacency import Matrix, adjacency, is_symmetric
from metier_gnn.config import Goal, NetworkConfig
from metier_gnn.features import Columns, node_features
from metier_gnn.gathering import Gathered, about_pairs
from metier_gnn.messages import Messages
from metier_gnn.network import Batch, Network
from metier_gnn.options import ScratchOptions
from metier_gnn.placing import tensor_of
from metier_gnn.sampling import Sampler

# Of the links, the share that each epoch takes out of the graph and learns to foretell.
_HELD_OUT = 0.2
_DRAWS = 20


@dataclass(frozen=True, slots=True)
class Lesson:
    """A batch, and what is true of each target: int64 [K] classes, or float32 [K] values or 0 and 1 for links."""

    batch: Batch
    truth: torch.Tensor


def config_of(request: GraphFit, options: ScratchOptions) -> NetworkConfig:
    """Return what the request wants fitted.

    Raises `InputError` where the graphs do not have the same features, or there is nothing to tell apart.
    """
    _check_architecture(request)
    _check_alike(request.graphs)
    first = request.graphs[0]
    goal = _goal_of(request)
    outputs, labels = 1, request.labels
    if request.targets is not None:
        outputs = max(_classes(request.targets), len(labels or ()))
    elif goal == "link":
        labels = ("linked",)
    reads_edges = goal != "link" and first.edge_attr is not None
    return NetworkConfig(
        architecture=request.architecture,
        level=request.level,
        goal=goal,
        outputs=outputs,
        labels=labels,
        features=None if first.x is None else first.x.shape[1],
        edge_features=first.edge_attr.shape[1] if reads_edges and first.edge_attr is not None else 0,
        both_ways=not all(is_symmetric(graph.edge_index, graph.num_nodes) for graph in request.graphs),
        hidden=options.hidden,
        layers=options.layers,
        heads=options.heads,
        dropout=options.dropout,
    )


def _goal_of(request: GraphFit) -> Goal:
    if request.targets is not None:
        return "classes"
    return "link" if request.values is None else "value"


def _classes(targets: NDArray[np.int64]) -> int:
    if len(np.unique(targets)) < 2:
        raise InputError(
            "there is one class, so nothing to tell apart",
            expected="at least two classes among the targets",
            got=f"{len(np.unique(targets))}",
            blame="targets of the fit request",
        )
    return int(targets.max()) + 1


def _check_architecture(request: GraphFit) -> None:
    if request.architecture == "edge" and request.level != "edge":
        raise InputError(
            "the edge scorer scores edges alone",
            expected="architecture gcn, sage, gat or gin, or level='edge'",
            got=f"architecture='edge' at level {request.level!r}",
            blame="architecture of the fit request",
        )


def _check_alike(graphs: Sequence[Graph]) -> None:
    widths = [tuple(None if part is None else part.shape[1] for part in (one.x, one.edge_attr)) for one in graphs]
    odd = next((position for position, one in enumerate(widths) if one != widths[0]), None)
    if odd is not None:
        raise InputError(
            "the graphs do not have the same features",
            expected=f"{widths[0]} columns of x and edge_attr in each, as in the first",
            got=f"{widths[odd]} in graphs[{odd}]",
            blame="graphs of the fit request",
        )


class Lessons(ABC):
    """The lessons of a fit request. `prepare` tells the network the scale of what it will read."""

    def __init__(self, request: GraphFit, config: NetworkConfig, options: ScratchOptions, device: str) -> None:
        self._request = request
        self._config = config
        self._options = options
        self._device = device
        self._rng = np.random.default_rng(request.seed)
        self._indices = request.indices
        if self._indices is None:
            self._indices = np.arange(len(request.graphs) if request.level == "graph" else self._count())
        truth: NDArray[np.generic] | None = request.targets if request.values is None else request.values
        self._truth = None if truth is None else tensor_of(truth, device)

    def _count(self) -> int:
        graph = self._request.graphs[0]
        return graph.num_nodes if self._request.level == "node" else graph.num_edges

    @abstractmethod
    def prepare(self, network: Network) -> None:
        """Fit the network's scales."""

    @abstractmethod
    def epoch(self) -> Iterator[Lesson]:
        """Yield the lessons of one epoch."""

    def _prepare_values(self, network: Network) -> None:
        if self._config.goal == "value" and self._truth is not None:
            network.value_scale.learn(self._truth[:, None])

    def _tensor(self, values: NDArray[np.generic]) -> torch.Tensor:
        return tensor_of(values, self._device)

    def _shuffled(self, count: int, size: int) -> Iterator[NDArray[np.int64]]:
        order = self._rng.permutation(count)
        for start in range(0, count, size):
            yield order[start : start + size]


class GraphLessons(Lessons):
    """Graphs, some in each step."""

    def __init__(self, request: GraphFit, config: NetworkConfig, options: ScratchOptions, device: str) -> None:
        super().__init__(request, config, options, device)
        self._features = [node_features(one, with_edges=config.edge_features > 0) for one in request.graphs]

    def prepare(self, network: Network) -> None:
        """Fit the network's scales on all graphs."""
        graphs = self._request.graphs
        network.scale.learn(self._tensor(np.concatenate(self._features)))
        network.size_scale.learn(torch.tensor([[float(graph.num_nodes)] for graph in graphs], device=self._device))
        self._prepare_values(network)

    def epoch(self) -> Iterator[Lesson]:
        """Yield the graphs in random order."""
        graphs = self._request.graphs
        for chosen in self._shuffled(len(graphs), self._options.batch_graphs):
            gathered = Gathered.of([graphs[i] for i in chosen], self._config, [self._features[i] for i in chosen])
            yield Lesson(gathered.batch(self._config, self._device), self._truth_of(chosen))

    def _truth_of(self, positions: NDArray[np.int64]) -> torch.Tensor:
        if self._truth is None:
            raise ValueError("at this level there are targets or values")
        return self._truth[self._tensor(positions)]


class OneGraphLessons(Lessons):
    """Nodes or edges of one graph: all of them in one step, or in a large graph some, with sampled neighbours."""

    def __init__(self, request: GraphFit, config: NetworkConfig, options: ScratchOptions, device: str) -> None:
        super().__init__(request, config, options, device)
        self._graph = request.graphs[0]
        self._sampled = self._graph.num_edges > options.full_edges
        self._x = node_features(self._graph, with_edges=config.edge_features > 0)

    def prepare(self, network: Network) -> None:
        """Fit the network's scales on the graph."""
        network.scale.learn(self._tensor(self._x))
        if self._config.edge_features and self._config.level == "edge" and self._graph.edge_attr is not None:
            network.about_scale.learn(self._tensor(self._graph.edge_attr))
        self._prepare_values(network)

    def _matrix(self) -> Matrix:
        return adjacency(self._graph.edge_index, self._graph.num_nodes, both_ways=self._config.both_ways)

    def _around(self, matrix: Matrix, x: Columns) -> _Surroundings:
        return _Surroundings(matrix, x, self._config, self._options, self._device, int(self._rng.integers(2**32)))


class NodeLessons(OneGraphLessons):
    """Nodes with their classes or values."""

    def __init__(self, request: GraphFit, config: NetworkConfig, options: ScratchOptions, device: str) -> None:
        super().__init__(request, config, options, device)
        self._surroundings = self._around(self._matrix(), self._x)

    def epoch(self) -> Iterator[Lesson]:
        """Yield one lesson with all labelled nodes, or several with some."""
        if self._indices is None or self._truth is None:
            raise ValueError("at this level there are targets or values")
        if not self._sampled:
            yield Lesson(replace(self._surroundings.all, rows=self._tensor(self._indices)), self._truth)
            return
        for chosen in self._shuffled(len(self._indices), self._options.batch_nodes):
            batch, local = self._surroundings.of(self._indices[chosen])
            yield Lesson(replace(batch, rows=self._tensor(local)), self._truth[self._tensor(chosen)])


class EdgeLessons(OneGraphLessons):
    """Edges with their classes or values: the network sees every edge, and learns of those in `indices`."""

    def __init__(self, request: GraphFit, config: NetworkConfig, options: ScratchOptions, device: str) -> None:
        super().__init__(request, config, options, device)
        matrix = self._matrix()
        self._surroundings = self._around(matrix, self._x)
        self._pairs = self._graph.edge_index[:, self._indices]
        edge_attr = None if self._graph.edge_attr is None else self._graph.edge_attr[self._indices]
        self._about = about_pairs(matrix, self._pairs, edge_attr, config)

    def epoch(self) -> Iterator[Lesson]:
        """Yield one lesson with all labelled edges, or several with some."""
        if self._truth is None:
            raise ValueError("these lessons have targets or values")
        count = self._pairs.shape[1]
        for chosen in self._shuffled(count, self._options.batch_nodes if self._sampled else count):
            pairs, about = self._pairs[:, chosen], self._about[chosen]
            yield self._surroundings.lesson(pairs, about, self._truth[self._tensor(chosen)], sampled=self._sampled)


class LinkLessons(OneGraphLessons):
    """Links: each epoch takes some out of the graph and tells them from as many pairs without a link."""

    def __init__(self, request: GraphFit, config: NetworkConfig, options: ScratchOptions, device: str) -> None:
        super().__init__(request, config, options, device)
        sources, targets = self._graph.edge_index
        forward = sources != targets if config.both_ways else sources < targets
        self._keys = np.unique(self._key(self._graph.edge_index[:, forward]))
        self._links = np.stack(np.divmod(self._keys, self._graph.num_nodes))
        if self._links.shape[1] < 2:
            raise InputError(
                "there are too few links to learn from",
                expected="at least two edges between different nodes",
                got=f"{self._links.shape[1]}",
                blame="graphs of the fit request",
            )

    def _key(self, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        keys: NDArray[np.int64] = pairs[0] * self._graph.num_nodes + pairs[1]
        return keys

    def epoch(self) -> Iterator[Lesson]:
        """Yield lessons with links held out, half of the targets, and pairs drawn from those that are not linked."""
        count = self._links.shape[1]
        held = max(1, round(_HELD_OUT * count))
        order = self._rng.permutation(count)
        asked, kept = self._links[:, order[:held]], self._links[:, order[held:]]
        edges = kept if self._config.both_ways else np.concatenate([kept, kept[::-1]], axis=1)
        matrix = adjacency(edges, self._graph.num_nodes, both_ways=self._config.both_ways)
        x = node_features(Graph(edge_index=edges, num_nodes=self._graph.num_nodes, x=self._graph.x))
        surroundings = self._around(matrix, x)
        apart = self._not_linked(held)
        pairs = np.concatenate([asked, apart], axis=1)
        truth = np.repeat(np.array([1, 0], np.float32), [held, apart.shape[1]])
        about = about_pairs(matrix, pairs, None, self._config)
        total = pairs.shape[1]
        for chosen in self._shuffled(total, self._options.batch_nodes if self._sampled else total):
            yield surroundings.lesson(
                pairs[:, chosen], about[chosen], self._tensor(truth[chosen]), sampled=self._sampled
            )

    def _not_linked(self, count: int) -> NDArray[np.int64]:
        """Draw up to `count` pairs of different nodes that no link joins."""
        found: list[NDArray[np.int64]] = []
        for _ in range(_DRAWS):
            pairs = self._rng.integers(self._graph.num_nodes, size=(2, count))
            if not self._config.both_ways:
                pairs = np.sort(pairs, axis=0)
            keys = self._key(pairs)
            place = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
            found.append(pairs[:, (pairs[0] != pairs[1]) & (self._keys[place] != keys)])
            if sum(part.shape[1] for part in found) >= count:
                break
        return np.concatenate(found, axis=1)[:, :count]


class _Surroundings:
    """The graph around targets: whole, or sampled."""

    def __init__(
        self, matrix: Matrix, x: Columns, config: NetworkConfig, options: ScratchOptions, device: str, seed: int
    ) -> None:
        self._matrix = matrix
        self._x = x
        self._config = config
        self._device = device
        self._sampler = Sampler(matrix, options.fan_out, config.layers, seed)
        self._whole: Batch | None = None

    @property
    def all(self) -> Batch:
        """The whole graph, made once."""
        if self._whole is None:
            self._whole = Gathered(self._x, self._matrix, (len(self._x),)).batch(self._config, self._device)
        return self._whole

    def of(self, nodes: NDArray[np.int64]) -> tuple[Batch, NDArray[np.int64]]:
        """Return a sampled graph around nodes, and the place of each in it."""
        seeds, local = np.unique(nodes, return_inverse=True)
        around, matrix = self._sampler.around(seeds)
        messages = Messages.of(matrix, self._config.architecture, self._device)
        return Batch(tensor_of(self._x[around], self._device), messages), local

    def lesson(self, pairs: NDArray[np.int64], about: Columns, truth: torch.Tensor, *, sampled: bool) -> Lesson:
        """Return a lesson about pairs int64 [2, K]."""
        batch, local = self.of(pairs) if sampled else (self.all, pairs)
        known = tensor_of(about, self._device)
        places = tensor_of(local.reshape(2, -1), self._device)
        return Lesson(replace(batch, pairs=places, about=known), truth)


def lessons_of(request: GraphFit, config: NetworkConfig, options: ScratchOptions, device: str) -> Lessons:
    """Return the lessons for what the request wants fitted."""
    if config.level == "graph":
        return GraphLessons(request, config, options, device)
    if config.level == "node":
        return NodeLessons(request, config, options, device)
    kind = LinkLessons if config.goal == "link" else EdgeLessons
    return kind(request, config, options, device)
