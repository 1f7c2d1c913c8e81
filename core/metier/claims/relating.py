"""graph-score: the section of Debian packages, from the sections of what they depend on and what depends on them."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from metier_contracts import (
    Classify,
    ExampleSet,
    Generate,
    Generation,
    Graph,
    GraphFit,
    GraphScore,
    GraphScores,
    Message,
    Sampling,
)
from numpy.typing import NDArray

from metier.claims.data import own_bytes
from metier.claims.work import Answer, Asked, Metric, Rule, Scale, Work, each, is_right

SEED = 20261128
KNOWN, SHOTS, TRIAL, EPOCHS = 1000, 12, 20, 60
FITTED = "claims/sections"
_MOST_TOKENS = 16


@dataclass(frozen=True)
class Package:
    """A package to tell: its node and its section."""

    node: int
    label: str


@dataclass(frozen=True)
class Packages:
    """The graph. `links`: int64 [2, E], from a package to one that it wants. `known`: bool [N], its section is told."""

    sections: Sequence[str]
    links: NDArray[np.int64]
    known: NDArray[np.bool_]

    @property
    def labels(self) -> tuple[str, ...]:
        """The known sections, in alphabetical order."""
        return tuple(sorted({section for section, known in zip(self.sections, self.known, strict=True) if known}))

    @cached_property
    def around(self) -> tuple[list[list[str]], list[list[str]]]:
        """For each node, the known sections of what it wants, and of what wants it."""
        wanted: list[list[str]] = [[] for _ in self.sections]
        wanting: list[list[str]] = [[] for _ in self.sections]
        for one, other in self.links.T.tolist():
            if self.known[other]:
                wanted[one].append(self.sections[other])
            if self.known[one]:
                wanting[other].append(self.sections[one])
        return wanted, wanting

    def in_words(self, node: int) -> str:
        """Return what is known around a node, the most frequent first."""
        wanted, wanting = (_counted(side[node]) for side in self.around)
        return f"It depends on packages of: {wanted}. Packages that depend on it: {wanting}."

    def in_numbers(self) -> NDArray[np.float32]:
        """Return the same for all nodes: the logarithms of counts, float32 [N, 2 L]."""
        place = {label: column for column, label in enumerate(self.labels)}
        counts = np.zeros((len(self.sections), 2, len(place)), np.float32)
        for side, lists in enumerate(self.around):
            for node, sections in enumerate(lists):
                for section in sections:
                    counts[node, side, place[section]] += 1
        return np.log1p(counts).reshape(len(counts), -1)


def packages() -> Packages:
    """Return the graph, of whose nodes some, drawn at random, are known."""
    with np.load(io.BytesIO(own_bytes("packages.npz"))) as data:
        sections, links = data["sections"].tolist(), data["links"].astype(np.int64)
    known = np.zeros(len(sections), bool)
    known[np.random.default_rng(SEED).permutation(len(sections))[:KNOWN]] = True
    return Packages(sections, links, known)


def relating(language_model: str, specialist: str, scale: Scale) -> Work:
    """Return the work: the known sections around a package, in words for one and as a graph for the other."""
    graph = packages()
    labels = graph.labels
    order = np.random.default_rng(SEED).permutation(len(graph.sections))
    rest = [Package(int(node), graph.sections[node]) for node in order[KNOWN:]]
    items, trial = rest[: scale.items["graph-score"]], rest[-TRIAL:]
    known = np.sort(order[:KNOWN])
    shown = [int(node) for node in order[:KNOWN] if all(side[node] for side in graph.around)][:SHOTS]
    examples = ExampleSet.from_pairs((graph.in_words(node), graph.sections[node]) for node in shown)
    most = Counter(graph.sections[node] for node in known).most_common(1)[0][0]
    drawn = Graph(edge_index=graph.links, num_nodes=len(graph.sections), x=graph.in_numbers())
    fit = GraphFit(
        id=FITTED,
        base=specialist,
        graphs=[drawn],
        indices=known,
        targets=np.array([labels.index(graph.sections[node]) for node in known], np.int64),
        labels=labels,
        epochs=EPOCHS,
    )

    def in_words(some: Sequence[Package]) -> list[Classify]:
        return [Classify(text=graph.in_words(one.node), labels=labels, examples=examples) for one in some]

    def written(some: Sequence[Package]) -> list[Generate]:
        return [_prompted(examples, labels, graph.in_words(one.node)) for one in some]

    def whole(some: Sequence[Package]) -> list[GraphScore]:
        return [GraphScore(graph=drawn)]

    def vote(one: Package) -> Answer:
        around = Counter(section for side in graph.around for section in side[one.node])
        return around.most_common(1)[0][0] if around else most

    told = "the known sections around it, what it wants and what wants it apart"
    return Work(
        task="graph-score",
        title="Section of Debian packages, from what depends on what",
        data=f"The {len(graph.sections):,} most linked packages of Debian 12, {graph.links.shape[1]:,} links between "
        f"them; the sections of {KNOWN:,} are known, names and descriptions are shown to no way; seed {SEED}.",
        metric=Metric("accuracy", higher_is_better=True, parts=is_right, is_share=True),
        items=items,
        ways=(
            Asked(
                f"{language_model}, writing",
                "language model",
                language_model,
                f"{told}, {SHOTS} examples, the labels",
                written,
                each(lambda _, response: _label(response)),
            ),
            Asked(
                f"{language_model}, in words",
                "language model",
                language_model,
                f"{told}, {SHOTS} examples",
                in_words,
                each(lambda _, response: response.label),
            ),
            Asked(
                f"{specialist}, fitted", "specialist", FITTED, f"{told}, as numbers, and all links", whole, _best, fit
            ),
            Rule("vote of the neighbours", "the known sections around it", vote),
            Rule("most frequent section", "the known sections", lambda _: most),
        ),
        timed=scale.timed["graph-score"],
        trial=trial,
    )


def _prompted(examples: ExampleSet, labels: Sequence[str], text: str) -> Generate:
    """Return a chat in which the examples are answered, and the answer is held to one of the labels."""
    messages = [Message(role="system", content=f"Name the section of a Debian package: one of {', '.join(labels)}.")]
    for example in examples.examples:
        messages += [
            Message(role="user", content=example.text),
            Message(role="assistant", content=json.dumps(example.label)),
        ]
    messages.append(Message(role="user", content=text))
    return Generate(messages=messages, json_schema={"enum": list(labels)}, sampling=Sampling(max_tokens=_MOST_TOKENS))


def _label(response: Generation) -> Answer:
    """Return the label; one that was cut off counts as a failure."""
    return json.loads(response.text) if response.finish_reason == "stop" else None


def _best(items: Sequence[Package], responses: Sequence[Any]) -> list[Answer]:
    """Return the best label of each item's node in the one response for the whole graph."""
    (scores,) = responses
    if not isinstance(scores, GraphScores):
        raise scores
    labels = scores.labels or ()
    return [labels[int(scores.scores[item.node].argmax())] for item in items]


def _counted(sections: Sequence[str]) -> str:
    return ", ".join(f"{section} ({count})" for section, count in Counter(sections).most_common(5)) or "none known"
