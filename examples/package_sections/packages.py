"""Debian packages as a graph, and the pipeline of two plugins that tells their sections."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from metier import Step, step, task
from metier_contracts import Embed, Embedding, Graph, GraphScore, GraphScores
from numpy.typing import NDArray

EXTRACT = Path(__file__).parent / "data" / "packages.npz"
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


def of_this_machine(count: int) -> Packages:
    """Return the packages with the most links of this machine's index; it needs apt-cache."""
    done = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=True)
    return most_linked(read_index(done.stdout), count)


def extract() -> Packages:
    """Return the packages of the extract, of which nothing is said."""
    with np.load(EXTRACT) as data:
        names, sections = data["names"].tolist(), data["sections"].tolist()
        return Packages(names, [""] * len(names), sections, data["links"].astype(np.int64))


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
