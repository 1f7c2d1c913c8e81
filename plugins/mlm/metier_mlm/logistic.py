"""`LogisticHead`: a logistic regression on vectors, fitted by scikit-learn and kept as safetensors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from metier_contracts import ExampleSet, InputError, ModelLoadError
from numpy.typing import NDArray

from metier_mlm.answers import sigmoid, softmax

WEIGHTS_NAME = "head.safetensors"
CONFIG_NAME = "head.json"


@dataclass(frozen=True)
class LogisticHead:
    """Scores of labels, linear in a vector.

    `coefficients`: float32 [L, D]. `intercepts`: float32 [L]. `multi_label`: each label stands for itself (sigmoid);
    else they compete (softmax).
    """

    labels: tuple[str, ...]
    coefficients: NDArray[np.float32]
    intercepts: NDArray[np.float32]
    multi_label: bool = False

    def scores(self, vector: NDArray[np.float32], labels: Sequence[str]) -> dict[str, float]:
        """Return the probability of each of `labels`, all known to the head; where they compete, among these alone."""
        logits = self.coefficients @ vector + self.intercepts
        chosen = logits[[self.labels.index(label) for label in labels]]
        probabilities = sigmoid(chosen) if self.multi_label else softmax(chosen)
        return dict(zip(labels, probabilities.tolist(), strict=True))

    @property
    def nbytes(self) -> int:
        """The bytes of its arrays."""
        return self.coefficients.nbytes + self.intercepts.nbytes

    def save(self, directory: Path) -> None:
        """Write head.safetensors (coefficients, intercepts) and head.json (labels) into `directory`."""
        from safetensors.numpy import save_file

        save_file({"coefficients": self.coefficients, "intercepts": self.intercepts}, directory / WEIGHTS_NAME)
        text = json.dumps({"labels": self.labels, "multi_label": self.multi_label}, indent=2, ensure_ascii=False)
        (directory / CONFIG_NAME).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, directory: Path, dimensions: int) -> LogisticHead:
        """Read what `save` wrote; raise `ModelLoadError` where it does not fit vectors of `dimensions`."""
        from safetensors.numpy import load_file

        config = json.loads((directory / CONFIG_NAME).read_text(encoding="utf-8"))
        arrays = load_file(directory / WEIGHTS_NAME)
        head = cls(tuple(config["labels"]), arrays["coefficients"], arrays["intercepts"], bool(config["multi_label"]))
        expected = (len(head.labels), dimensions), (len(head.labels),)
        if (got := (head.coefficients.shape, head.intercepts.shape)) != expected:
            raise ModelLoadError(
                f"the head in {directory} does not fit its encoder",
                expected=_shapes(*expected),
                got=_shapes(*got),
            )
        return head


def fit_head(vectors: NDArray[np.float32], examples: ExampleSet, *, multi_label: bool, c: float) -> LogisticHead:
    """Return the head fitted on vectors float32 [N, D], one an example; `c` is the inverse regularisation.

    With `multi_label` a text that stands in the examples under several labels has all of them, and is a
    counter-example to each other label.
    """
    labels = examples.labels
    if len(labels) < 2:
        raise InputError(
            "a classifier cannot be learned from examples of one label",
            expected="examples of at least two labels",
            got=f"only {labels[0]!r}",
            blame="examples of the request",
        )
    if multi_label:
        given = {(example.text, example.label) for example in examples.examples}
        rows = [_fit_two(vectors, np.array([(text, label) in given for text in examples.texts]), c) for label in labels]
    else:
        rows = _fit_all(vectors, np.array([labels.index(example.label) for example in examples.examples]), c)
    coefficients = np.stack([coefficient for coefficient, _ in rows]).astype(np.float32)
    return LogisticHead(labels, coefficients, np.array([intercept for _, intercept in rows], np.float32), multi_label)


def _shapes(coefficients: tuple[int, ...], intercepts: tuple[int, ...]) -> str:
    return f"coefficients {list(coefficients)} and intercepts {list(intercepts)}"


Line = tuple[NDArray[np.float64], float]


def _fit_all(vectors: NDArray[np.float32], targets: NDArray[np.int64], c: float) -> list[Line]:
    if int(targets.max()) == 1:
        # Two classes are one line; against a logit of 0 for the other class its sigmoid is their softmax.
        line = _fit_two(vectors, targets == 1, c)
        return [(np.zeros_like(line[0]), 0.0), line]
    model = _regression(c).fit(vectors.astype(np.float64), targets)
    return list(zip(model.coef_, model.intercept_.tolist(), strict=True))


def _fit_two(vectors: NDArray[np.float32], targets: NDArray[np.bool_], c: float) -> Line:
    if targets.all():
        # Every text has this label: nothing tells it apart, and it is as likely as it was seen to be (Laplace's rule).
        return np.zeros(vectors.shape[1]), float(np.log(len(targets) + 1))
    model = _regression(c).fit(vectors.astype(np.float64), targets)
    return model.coef_[0], float(model.intercept_[0])


def _regression(c: float) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=c, max_iter=1000)
