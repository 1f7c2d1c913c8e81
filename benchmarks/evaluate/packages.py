"""Sections of Debian packages, from what depends on what and from what is said of each.

The data is the index of the machine's own Debian (`apt-cache dumpavail`): the packages with the most links, Depends
and Recommends as links, Section as truth, the short description as text. Names are shown to no way, since many give
the section away. All ways know the sections of the same packages and are judged on the same others.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from metier import Runtime
from metier_contracts import Embed, GraphFit, GraphScore
from numpy.typing import NDArray

from benchmarks.evaluate.rivals_of_graphs import label_propagation
from examples.package_sections.packages import Packages, of_this_machine, sections_of

COUNT, LABELLED, SEED = 12_000, 2_000, 20261124


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
    packages = of_this_machine(COUNT)
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
        "truth": written(packages.truth[parts.held_out]),
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
    return {**row, "predictions": written(told)}


def written(sections: NDArray[np.int64]) -> str:
    """Return a letter for each section's number: the one that is 48 further on in Unicode."""
    return "".join(chr(48 + int(one)) for one in sections)
