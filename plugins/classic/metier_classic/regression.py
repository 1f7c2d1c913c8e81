"""`Regression`: a logistic regression on TF-IDF vectors, fitted by scikit-learn and kept as safetensors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from metier_contracts import ExampleSet, InputError, ModelLoadError
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

WEIGHTS_NAME, CONFIG_NAME = "regression.safetensors", "regression.json"


@dataclass(frozen=True, eq=False)
class Regression:
    """Scores of labels, linear in the TF-IDF vector of a text.

    `vocabulary`: the V terms, in the order of the columns. `idf`: float32 [V]. `coefficients`: float32 [L, V].
    `intercepts`: float32 [L]. `multi_label`: each label stands for itself (sigmoid); else they compete (softmax).
    """

    labels: tuple[str, ...]
    vocabulary: tuple[str, ...]
    idf: NDArray[np.float32]
    coefficients: NDArray[np.float32]
    intercepts: NDArray[np.float32]
    multi_label: bool = False
    _vectorizer: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        vectorizer = _vectorizer(vocabulary=self.vocabulary)
        vectorizer.idf_ = self.idf.astype(np.float64)
        object.__setattr__(self, "_vectorizer", vectorizer)

    @classmethod
    def fit(cls, examples: ExampleSet, *, multi_label: bool, c: float) -> Regression:
        """Return what is learned from the examples; `c` is the inverse regularisation.

        With `multi_label` a text that stands in the examples under several labels has all of them, and is a
        counter-example to each other label.

        Raises:
            InputError: the examples have one label alone, or no word at all.
        """
        labels = examples.labels
        if len(labels) < 2:
            raise InputError(
                "a classifier cannot be learned from examples of one label",
                expected="examples of at least two labels",
                got=f"only {labels[0]!r}",
                blame="examples of the request",
            )
        vectorizer = _vectorizer()
        try:
            vectors = vectorizer.fit_transform(examples.texts)
        except ValueError as error:  # scikit-learn found no term at all
            raise InputError(
                "no word stands in the examples",
                expected="texts of words",
                got=str(error),
                blame="examples of the request",
            ) from None
        if multi_label:
            given = {(example.text, example.label) for example in examples.examples}
            lines = [_line(vectors, [(text, label) in given for text in examples.texts], c) for label in labels]
        else:
            lines = _lines(vectors, [labels.index(example.label) for example in examples.examples], c)
        return cls(
            labels,
            tuple(vectorizer.get_feature_names_out().tolist()),
            vectorizer.idf_.astype(np.float32),
            np.stack([coefficients for coefficients, _ in lines]).astype(np.float32),
            np.array([intercept for _, intercept in lines], np.float32),
            multi_label,
        )

    def scores(self, texts: Sequence[str], labels: Sequence[str]) -> NDArray[np.float64]:
        """Return the probabilities float64 [N, L] of `labels`, all of them known; where they compete, among these."""
        logits = self._vectorizer.transform(texts) @ self.coefficients.T.astype(np.float64) + self.intercepts
        logits = logits[:, [self.labels.index(label) for label in labels]]
        if self.multi_label:
            return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)))
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    @property
    def nbytes(self) -> int:
        """About how many bytes it holds: its arrays and its terms."""
        arrays = self.idf.nbytes + self.coefficients.nbytes + self.intercepts.nbytes
        return arrays + sum(len(term) for term in self.vocabulary)

    def save(self, directory: Path) -> None:
        """Write regression.safetensors (the arrays) and regression.json (labels and terms) into `directory`."""
        arrays = {"idf": self.idf, "coefficients": self.coefficients, "intercepts": self.intercepts}
        save_file(arrays, directory / WEIGHTS_NAME)
        config = {"labels": self.labels, "multi_label": self.multi_label, "vocabulary": self.vocabulary}
        (directory / CONFIG_NAME).write_text(json.dumps(config, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> Regression:
        """Read what `save` wrote; raise `ModelLoadError` where its parts do not fit together."""
        config = json.loads((directory / CONFIG_NAME).read_text(encoding="utf-8"))
        arrays = load_file(directory / WEIGHTS_NAME)
        labels, vocabulary = tuple(config["labels"]), tuple(config["vocabulary"])
        rows, columns = len(labels), len(vocabulary)
        wanted = {"idf": (columns,), "coefficients": (rows, columns), "intercepts": (rows,)}
        if (got := {name: array.shape for name, array in sorted(arrays.items())}) != dict(sorted(wanted.items())):
            raise ModelLoadError(
                f"the files in {directory} do not fit together",
                expected=f"arrays of {rows} labels and {columns} terms: {wanted}",
                got=str(got),
                blame="whoever wrote them",
            )
        return cls(
            labels, vocabulary, arrays["idf"], arrays["coefficients"], arrays["intercepts"], config["multi_label"]
        )


def _vectorizer(**settings: Any) -> Any:
    """Return what turns texts into vectors of unit length: words and pairs of them, repeated ones damped."""
    terms = r"\w+|[^\w\s]"
    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=terms, **settings)


Line = tuple[NDArray[np.float64], float]


def _lines(vectors: Any, targets: Sequence[int], c: float) -> list[Line]:
    model = LogisticRegression(C=c, max_iter=1000).fit(vectors, targets)
    lines = list(zip(model.coef_, model.intercept_.tolist(), strict=True))
    # Two classes are one line; against a logit of 0 for the other class its sigmoid is their softmax.
    return [(np.zeros_like(lines[0][0]), 0.0), *lines] if len(lines) == 1 else lines


def _line(vectors: Any, targets: Sequence[bool], c: float) -> Line:
    if all(targets):
        # Nothing tells such a label apart, and it is as likely as it was seen to be (Laplace's rule of succession).
        return np.zeros(vectors.shape[1]), float(np.log(len(targets) + 1))
    return _lines(vectors, [int(target) for target in targets], c)[1]
