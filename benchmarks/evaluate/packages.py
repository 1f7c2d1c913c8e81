"""Sections of Debian packages, from what depends on what and from what is said of each.

The data is the index of the machine's own Debian (`apt-cache dumpavail`): the packages with the most links, Depends
and Recommends as links, Section as truth, the short description as text. Names are shown to no way, since many give
the section away. All ways know the sections of the same packages and are judged on the same others.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from metier import Runtime, Step, step, task
from metier_contracts import Embed, Embedding, Graph, GraphFit, GraphScore, GraphScores
from numpy.typing import NDArray

from benchmarks.evaluate.rivals_of_graphs import label_propagation

COUNT, LABELLED, SEED = 12_000, 2_000, 20261124
_ALTERNATIVE = re.compile(r"[,|]")


@dataclass(frozen=True)
class Packages:
    """Packages: what is said of each, its section, and the links int64 [2, E] from a package to those that it wants."""

    names: Sequence[str]
    texts: Sequence[str]
    sections: Sequence[str]
    links: NDArray[np.int64]

    @property
    def labels(self) -> tuple[str, ...]:
        """The sections, in alphabetical order."""
        return tuple(sorted(set(self.sections)))

    @property
    def truth(self) -> NDArray[np.int64]:
        """The number of each package's section, int64 [N]."""
        return np.searchsorted(np.array(self.labels), np.array(self.sections)).astype(np.int64)

    def graph(self, x: NDArray[np.float32] | None = None) -> Graph:
        """Return the graph, with features where they are given."""
        return Graph(edge_index=self.links, num_nodes=len(self.names), x=x)


def read_index(text: str) -> Packages:
    """Read what `apt-cache dumpavail` prints; a link to a package that is not there, as a virtual one, is left out."""
    stanzas = [dict(re.findall(r"^([\w-]+): (.*)$", stanza, re.MULTILINE)) for stanza in text.split("\n\n")]
    known: dict[str, Mapping[str, str]] = {}
    for one in stanzas:
        if "Package" in one and "Section" in one:
            known.setdefault(one["Package"], one)
    number = {name: position for position, name in enumerate(known)}
    links = {
        (number[name], number[other])
        for name, one in known.items()
        for field in ("Depends", "Pre-Depends", "Recommends")
        for other in _names(one.get(field, ""))
        if other in number and other != name
    }
    return Packages(
        names=tuple(known),
        texts=tuple(one.get("Description", "") for one in known.values()),
        sections=tuple(one["Section"] for one in known.values()),
        links=np.array(sorted(links), dtype=np.int64).reshape(-1, 2).T,
    )


def _names(relation: str) -> list[str]:
    parts = (part.split() for part in _ALTERNATIVE.split(relation))
    return [part[0].partition(":")[0] for part in parts if part]


def most_linked(packages: Packages, count: int) -> Packages:
    """Return the packages with the most links, and the links between them."""
    degrees = np.bincount(packages.links.ravel(), minlength=len(packages.names))
    chosen = np.sort(np.argsort(-degrees, kind="stable")[:count])
    place = np.full(len(packages.names), -1)
    place[chosen] = np.arange(len(chosen))
    links = place[packages.links]
    return Packages(
        names=[packages.names[i] for i in chosen],
        texts=[packages.texts[i] for i in chosen],
        sections=[packages.sections[i] for i in chosen],
        links=links[:, (links >= 0).all(axis=0)].astype(np.int64),
    )


def of_this_machine() -> Packages:
    """Return the packages with the most links of this machine's index."""
    done = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=True)
    return most_linked(read_index(done.stdout), COUNT)


def sections_of(packages: Packages, model: str) -> Step[Sequence[str], NDArray[np.int64]]:
    """Return the pipeline of two plugins: an encoder reads the texts, a graph network says the sections' numbers."""

    @task(model="all-MiniLM-L6-v2")
    def read(texts: Sequence[str]) -> Embed:
        return Embed(texts=texts)

    @task(model=model)
    def look_around(read: Embedding) -> GraphScore:
        return GraphScore(graph=packages.graph(read.vectors))

    @step
    def best(scores: GraphScores) -> NDArray[np.int64]:
        return scores.scores.argmax(axis=1)

    return read >> look_around >> best


@dataclass(frozen=True)
class Split:
    """Packages whose sections are known, and those to tell: int64 [K] each."""

    known: NDArray[np.int64]
    held_out: NDArray[np.int64]


def split(packages: Packages, labelled: int = LABELLED, seed: int = SEED) -> Split:
    """Draw both at random."""
    order = np.random.default_rng(seed).permutation(len(packages.names))
    return Split(np.sort(order[:labelled]), np.sort(order[labelled:]))


def majority(packages: Packages, parts: Split) -> NDArray[np.int64]:
    """Always say the most frequent section of the known."""
    most = np.bincount(packages.truth[parts.known]).argmax()
    return np.full(len(packages.names), most)


def spread(packages: Packages, parts: Split) -> NDArray[np.int64]:
    """Spread the known sections over the links, and read no text."""
    known: NDArray[np.int64] = label_propagation(packages.graph(), parts.known, packages.truth[parts.known]).argmax(1)
    return known


def text_alone(packages: Packages, parts: Split, vectors: NDArray[np.float32]) -> NDArray[np.int64]:
    """Fit a logistic regression on the vectors of the descriptions."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=10.0, max_iter=2000).fit(vectors[parts.known], packages.truth[parts.known])
    told: NDArray[np.int64] = model.predict(vectors)
    return told


def network(
    runtime: Runtime, packages: Packages, parts: Split, x: NDArray[np.float32] | None, *, epochs: int = 60
) -> str:
    """Fit GraphSAGE, and return the model's id."""
    request = GraphFit(
        id="bench/packages",
        graphs=[packages.graph(x)],
        indices=parts.known,
        targets=packages.truth[parts.known],
        labels=packages.labels,
        epochs=epochs,
    )
    return runtime.fit(request, replace=True).id


def judge() -> dict[str, Any]:
    """Judge every way on the packages of this machine's index."""
    packages = of_this_machine()
    parts = split(packages)
    with Runtime() as runtime:
        vectors = runtime.run(Embed(texts=packages.texts), model="all-MiniLM-L6-v2").vectors

        def both() -> NDArray[np.int64]:
            model = network(runtime, packages, parts, vectors)
            return runtime.run(sections_of(packages, model), packages.texts)

        def links_alone() -> NDArray[np.int64]:
            model = network(runtime, packages, parts, None)
            return runtime.run(GraphScore(graph=packages.graph()), model=model).scores.argmax(axis=1)

        ways: dict[str, Callable[[], NDArray[np.int64]]] = {
            "majority section": lambda: majority(packages, parts),
            "label propagation over the links": lambda: spread(packages, parts),
            "GraphSAGE on the links alone": links_alone,
            "logistic regression on MiniLM vectors": lambda: text_alone(packages, parts, vectors),
            "GraphSAGE on links and MiniLM vectors": both,
        }
        rows = {name: _row(way, packages.truth, parts) for name, way in ways.items()}
    return {
        "title": f"Section of {len(parts.held_out):,} Debian packages",
        "data": f"{(__doc__ or '').partition(chr(10) * 2)[2].strip()} {len(packages.names):,} packages in "
        f"{len(packages.labels)} sections, {packages.links.shape[1]:,} links; the sections of "
        f"{len(parts.known):,} known.",
        "rows": rows,
    }


def _row(way: Callable[[], NDArray[np.int64]], truth: NDArray[np.int64], parts: Split) -> dict[str, Any]:
    from sklearn.metrics import f1_score

    started = time.perf_counter()
    told = way()[parts.held_out]
    seconds, expected = time.perf_counter() - started, truth[parts.held_out]
    row = {
        "accuracy": round(float((told == expected).mean()), 4),
        "macro_f1": round(float(f1_score(expected, told, average="macro", zero_division=0)), 4),
        "seconds": round(seconds, 1),
    }
    print(row, flush=True)
    return row
