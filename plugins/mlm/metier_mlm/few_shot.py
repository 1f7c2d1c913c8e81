"""Classification learned from the examples of a request: one logistic head a set of examples, kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from metier_contracts import ExampleSet, InputError
from metier_contracts.authoring import Keeper
from numpy.typing import NDArray

from metier_mlm.logistic import LogisticHead, fit_head

Embed = Callable[[Sequence[str]], NDArray[np.float32]]


class FewShot:
    """Keeps the heads used last. `c`: the inverse regularisation of a head; `size`: how many are kept."""

    def __init__(self, c: float, size: int) -> None:
        self._c = c
        self._kept: Keeper[tuple[str, bool], LogisticHead] = Keeper(size)

    def head(
        self, examples: ExampleSet, labels: Sequence[str], *, multi_label: bool, embed: Embed
    ) -> LogisticHead | None:
        """Return the head for these examples, fitted at first use; None where one label is all there is to choose.

        Raises `InputError` for a label without an example: nothing was learned of it, and a score from its name would
        stand on another scale than the learned ones.
        """
        if bare := [label for label in labels if label not in examples.labels]:
            raise InputError(
                f"no example shows what the label {bare[0]!r} means",
                expected="at least one example of each label",
                got=f"none of {', '.join(map(repr, bare))}",
                blame="labels and examples of the request",
                hint=f"add examples of {bare[0]!r}, or leave it out of the labels, or leave out all examples",
            )
        if len(labels) == 1 and not multi_label:
            return None
        # The labels need no place in the key: each has an example, and each example's label is among them.
        key = (examples.digest, multi_label)
        head = self._kept.get(key)
        if head is None:
            head = fit_head(embed(examples.texts), examples, multi_label=multi_label, c=self._c)
            self._kept.put(key, head)
        return head

    def resident_bytes(self) -> int:
        """Return the bytes of the heads kept."""
        return sum(head.nbytes for head in self._kept.values())

    def clear(self) -> None:
        """Forget the heads."""
        self._kept.clear()
