"""A million edges scored in one call: metier beside PyG used directly with the same weights, in seconds and memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from metier import Runtime
from metier_contracts import Graph, GraphFit, GraphScore

from benchmarks.figures import Figure, at_most, interleaved, median_ratio

NODES, EDGES, FEATURES, CLASSES = 100_000, 1_000_000, 64, 8
NAMES = ("sage", "gcn", "gin", "gat")
MEBIBYTE = 2**20


def measure(rounds: int = 5) -> list[Figure]:
    """Measure on a random graph; weights that are hardly fitted take as long as others."""
    figures = []
    with fitted_elsewhere():
        with Runtime() as runtime:
            for name in NAMES:
                figures += _seconds(runtime, name, rounds)
        figures += _memory()
    return figures


@contextmanager
def fitted_elsewhere() -> Iterator[None]:
    """Keep what is fitted here out of the user's folder, also in child processes."""
    before = os.environ.get("METIER_DATA")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["METIER_DATA"] = folder
        try:
            yield
        finally:
            os.environ.pop("METIER_DATA") if before is None else os.environ.update(METIER_DATA=before)


def graph(edges: int = EDGES) -> Graph:
    """Return a random graph, no edge twice and each in both directions, with features."""
    rng = np.random.default_rng(0)
    ends = np.sort(rng.integers(NODES, size=(2, edges)), axis=0)
    ends = np.unique(ends[:, ends[0] != ends[1]], axis=1)
    ends = ends[:, rng.permutation(ends.shape[1])[: edges // 2]]
    x = rng.normal(size=(NODES, FEATURES)).astype(np.float32)
    return Graph(edge_index=np.concatenate([ends, ends[::-1]], axis=1), x=x)


def _fit(runtime: Runtime, name: str, whole: Graph) -> str:
    """Fit one epoch on the whole graph, so that scales and weights are those of a fitted model."""
    classes = np.arange(NODES) % CLASSES
    request = GraphFit(id=f"bench/{name}", graphs=[whole], targets=classes, architecture=name, epochs=1)
    return runtime.fit(request, replace=True).id


def _seconds(runtime: Runtime, name: str, rounds: int) -> list[Figure]:
    whole = graph()
    model = _fit(runtime, name, whole)
    ours = partial(runtime.run, GraphScore(graph=whole), model=model)
    direct = Direct(runtime, model, name)
    theirs = partial(direct.scores, whole)
    difference = float(np.abs(ours().scores - theirs()).max())
    here, there = interleaved([ours, theirs], rounds)
    runtime.unload(model)
    return [
        Figure(f"{name}: PyG directly, a million edges, median", statistics.median(there), "s"),
        Figure(f"{name}: metier, a million edges, median", statistics.median(here), "s"),
        at_most(f"{name}: metier against PyG, median of paired ratios", median_ratio(here, there), "x", 1.1),
        at_most(f"{name}: largest difference between their scores", difference, "", 1e-3),
    ]


class Direct:
    """What a user of PyG writes: its layers over edge_index, with the weights of a fitted model."""

    def __init__(self, runtime: Runtime, model: str, name: str) -> None:
        import torch
        from metier_gnn.checkpoint import load_network
        from metier_gnn.upstream import GATConv, GCNConv, GINConv, SAGEConv

        [card] = [row.card for row in runtime.models() if row.card.id == model]
        network: Any = load_network(Path(str(card.source).removeprefix("path:")), "cpu")
        makers: dict[str, Any] = {
            "sage": SAGEConv,
            "gcn": GCNConv,
            "gin": lambda width, hidden: GINConv(deepcopy(network.layers[int(width == hidden)].nn), train_eps=True),
            "gat": lambda width, hidden: GATConv(width, hidden // 4, heads=4),
        }
        widths = [FEATURES + 2, 64, 64]
        self._torch = torch
        self._layers = [makers[name](*pair) for pair in pairwise(widths)]
        for layer, fitted in zip(self._layers, network.layers, strict=True):
            layer.load_state_dict(fitted.state_dict())
            layer.eval()
        self._scale, self._head = network.scale, network.head

    def scores(self, whole: Graph) -> np.ndarray:
        """Return the probabilities, float32 [N, C]."""
        torch = self._torch
        from torch_geometric.data import Data
        from torch_geometric.utils import degree

        with torch.inference_mode():
            data = Data(x=torch.from_numpy(whole.x), edge_index=torch.from_numpy(whole.edge_index))
            counts = torch.stack([degree(data.edge_index[end], NODES) for end in (1, 0)], dim=1).log1p()
            values = self._scale(torch.cat([data.x, counts], dim=1))
            for layer in self._layers:
                values = layer(values, data.edge_index).relu()
            scores: np.ndarray = self._head(values).softmax(dim=1).numpy()
            return scores


_CHILD = """
import re, sys, warnings
from pathlib import Path
warnings.simplefilter("ignore")
from metier import Runtime
from metier_contracts import GraphScore
from benchmarks.graphs import Direct, graph
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
way, name = sys.argv[1:]
whole, small = graph(), graph(1000)
with Runtime() as runtime:
    model = f"bench/{name}"
    direct = Direct(runtime, model, name)
    score = direct.scores if way == "PyG" else lambda one: runtime.run(GraphScore(graph=one), model=model)
    score(small)
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    before = peak()
    score(whole)
    print(peak() - before)
"""


def _memory() -> list[Figure]:
    """Return by how much the peak of a fresh process rises in the call, after one on a small graph. Linux tells it."""
    figures = []
    for name in NAMES:
        rises = {}
        for way in ("PyG", "metier"):
            done = subprocess.run([sys.executable, "-c", _CHILD, way, name], capture_output=True, text=True, check=True)
            rises[way] = int(done.stdout.split()[-1]) * 1024 / MEBIBYTE
            figures.append(Figure(f"{name}: {way}, memory that the call adds", rises[way], "MiB"))
        figures.append(at_most(f"{name}: metier against PyG, memory", rises["metier"] / rises["PyG"], "x", 1.1))
    return figures
