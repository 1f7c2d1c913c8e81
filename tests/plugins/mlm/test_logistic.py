"""Logistic heads, against scikit-learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from metier_contracts import ExampleSet, InputError, ModelLoadError
from metier_mlm.logistic import LogisticHead, fit_head
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

C = 10.0


def make_vectors(labels: list[str], seed: int = 0) -> NDArray[np.float32]:
    """Return unit vectors float32 [N, 8], which lie near a centre for each label."""
    draw = np.random.default_rng(seed)
    centres = {label: draw.normal(size=8) for label in dict.fromkeys(labels)}
    vectors = np.array([centres[label] + 0.8 * draw.normal(size=8) for label in labels])
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def examples_of(labels: list[str]) -> ExampleSet:
    return ExampleSet.from_pairs([(f"text {number}", label) for number, label in enumerate(labels)])


@pytest.mark.parametrize("names", [["no", "yes"], ["b", "a", "c"], ["e", "d", "c", "b", "a"]])
def test_probabilities_are_those_of_scikit_learn(names: list[str]) -> None:
    labels = names * 12
    vectors, unseen = make_vectors(labels), make_vectors(labels, seed=1)
    head = fit_head(vectors, examples_of(labels), multi_label=False, c=C)
    model = LogisticRegression(C=C, max_iter=1000).fit(vectors.astype(np.float64), labels)
    wanted = model.predict_proba(unseen.astype(np.float64))
    for vector, row in zip(unseen, wanted, strict=True):
        scores = head.scores(vector, names)
        assert [scores[label] for label in model.classes_] == pytest.approx(row.tolist(), abs=1e-4)
        assert list(scores) == names


def test_scores_of_some_labels_compete_among_these() -> None:
    labels = ["a", "b", "c"] * 8
    vectors = make_vectors(labels)
    head = fit_head(vectors, examples_of(labels), multi_label=False, c=C)
    every, some = head.scores(vectors[0], head.labels), head.scores(vectors[0], ["c", "a"])
    assert sum(some.values()) == pytest.approx(1.0)
    assert some["a"] / some["c"] == pytest.approx(every["a"] / every["c"])


def test_multi_label_heads_are_one_regression_each() -> None:
    texts = [f"text {number % 20}" for number in range(40)]
    labels = [["a", "b"][number % 2] if number < 20 else ["b", "c"][number % 3 % 2] for number in range(40)]
    by_text = make_vectors([str(number) for number in range(20)])
    vectors = np.concatenate([by_text, by_text])
    head = fit_head(vectors, ExampleSet.from_pairs(list(zip(texts, labels, strict=True))), multi_label=True, c=C)
    given = set(zip(texts, labels, strict=True))
    for label in ("a", "b", "c"):
        model = LogisticRegression(C=C, max_iter=1000)
        model.fit(vectors.astype(np.float64), [(text, label) in given for text in texts])
        wanted = model.predict_proba(by_text.astype(np.float64))[:, 1]
        scores = [head.scores(vector, ["a", "b", "c"])[label] for vector in by_text]
        assert scores == pytest.approx(wanted.tolist(), abs=1e-4)


def test_a_label_that_every_text_has() -> None:
    pairs = [(f"text {number}", label) for number in range(6) for label in ("seen", "odd")[: 1 + number % 2]]
    vectors = make_vectors([text for text, _ in pairs])
    head = fit_head(vectors, ExampleSet.from_pairs(pairs), multi_label=True, c=C)
    assert head.scores(vectors[0], ["seen"])["seen"] == pytest.approx(10 / 11)


def test_one_label_teaches_nothing() -> None:
    with pytest.raises(InputError, match="one label"):
        fit_head(make_vectors(["a", "a"]), examples_of(["a", "a"]), multi_label=False, c=C)


def test_order_of_the_examples_changes_no_score() -> None:
    labels = ["a", "b", "c"] * 6
    vectors = make_vectors(labels)
    head = fit_head(vectors, examples_of(labels), multi_label=False, c=C)
    back = fit_head(vectors[::-1], examples_of(labels[::-1]), multi_label=False, c=C)
    assert back.labels == ("c", "b", "a")
    assert back.scores(vectors[0], ["a", "b", "c"]) == pytest.approx(head.scores(vectors[0], ["a", "b", "c"]), abs=1e-4)


@pytest.mark.parametrize("multi_label", [False, True])
def test_a_saved_head_gives_the_same_scores(tmp_path: Path, multi_label: bool) -> None:
    labels = ["ä", "b c", "🙂"] * 5
    vectors = make_vectors(labels)
    head = fit_head(vectors, examples_of(labels), multi_label=multi_label, c=C)
    head.save(tmp_path)
    again = LogisticHead.load(tmp_path, 8)
    assert again.scores(vectors[3], labels[:3]) == head.scores(vectors[3], labels[:3])
    assert head.nbytes == 4 * (3 * 8 + 3)


def test_a_head_of_another_encoder_is_refused(tmp_path: Path) -> None:
    labels = ["a", "b", "c"]
    fit_head(make_vectors(labels), examples_of(labels), multi_label=False, c=C).save(tmp_path)
    with pytest.raises(ModelLoadError, match="does not fit its encoder") as caught:
        LogisticHead.load(tmp_path, 384)
    assert "[3, 384]" in str(caught.value)


def test_a_head_with_too_few_intercepts_is_refused(tmp_path: Path) -> None:
    LogisticHead(("a", "b"), np.zeros((2, 8), np.float32), np.zeros(1, np.float32)).save(tmp_path)
    with pytest.raises(ModelLoadError, match="does not fit its encoder"):
        LogisticHead.load(tmp_path, 8)
