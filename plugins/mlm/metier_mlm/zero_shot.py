"""Classification by the labels' names alone: how near is a text to "This text is about {label}."?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from metier_contracts.authoring import Keeper
from numpy.typing import NDArray

from metier_mlm.answers import sigmoid, softmax
from metier_mlm.options import EncoderOptions

Embed = Callable[[Sequence[str]], NDArray[np.float32]]


class ZeroShot:
    """Scores labels by the cosine between a text and a sentence that names the label.

    The scale 20 is the one that all-MiniLM-L6-v2 was trained with: its loss is the cross-entropy of 20 times the
    cosines (model card of sentence-transformers/all-MiniLM-L6-v2). Labels compete in a softmax; with multi_label each
    has the logistic of its scaled distance from the midpoint, so that no score depends on the other labels.
    """

    def __init__(self, options: EncoderOptions) -> None:
        self._options = options
        self._kept: Keeper[str, NDArray[np.float32]] = Keeper(options.cached_labels)

    def prepare(self, labels: Sequence[str], embed: Embed) -> NDArray[np.float32]:
        """Return the unit vectors float32 [L, D] of the labels' sentences, embedding those that are not kept."""
        sentences = [self._options.template.replace("{label}", label) for label in labels]
        found = {sentence: self._kept.get(sentence) for sentence in sentences}
        missing = [sentence for sentence, vector in found.items() if vector is None]
        if missing:
            for sentence, vector in zip(missing, embed(missing), strict=True):
                # A copy, since a row would keep its whole batch alive.
                found[sentence] = vector.copy()
                self._kept.put(sentence, vector.copy())
        return np.stack([vector for sentence in sentences if (vector := found[sentence]) is not None])

    def scores(
        self, vector: NDArray[np.float32], labels: Sequence[str], prepared: NDArray[np.float32], *, multi_label: bool
    ) -> dict[str, float]:
        """Return the score of each label for a text's unit vector float32 [D]."""
        logits = self._options.scale * (prepared @ vector - self._options.midpoint)
        probabilities = sigmoid(logits) if multi_label else softmax(logits)
        return dict(zip(labels, probabilities.tolist(), strict=True))

    def resident_bytes(self) -> int:
        """Return the bytes of the vectors kept."""
        return sum(vector.nbytes for vector in self._kept.values())

    def clear(self) -> None:
        """Forget the vectors."""
        self._kept.clear()
