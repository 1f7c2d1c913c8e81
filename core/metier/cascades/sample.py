"""`Sample`: what two models answered on labelled texts, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from metier_contracts import Classification, ExampleSet, Measured
from numpy.typing import NDArray

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Sample:
    """Labelled texts, and the answers of the cheap and of the strong model to each."""

    labelled: ExampleSet
    by_cheap: Sequence[Classification]
    by_strong: Sequence[Classification]

    @cached_property
    def truth(self) -> NDArray[np.int64]:
        """The number of each text's label, int64 [N]."""
        number = {label: position for position, label in enumerate(self.labelled.labels)}
        return np.array([number[example.label] for example in self.labelled.examples])

    @cached_property
    def scores(self) -> NDArray[np.float64]:
        """What the cheap model gives each label, float64 [N, K]."""
        return np.array([[answer.scores[label] for label in self.labelled.labels] for answer in self.by_cheap])

    @cached_property
    def confidence(self) -> NDArray[np.float64]:
        """The best score of the cheap model, float64 [N]."""
        best: NDArray[np.float64] = self.scores.max(axis=1)
        return best

    @cached_property
    def cheap_right(self) -> Bools:
        """Whether the cheap model gives the true label, bool [N]."""
        return self._right(self.by_cheap)

    @cached_property
    def strong_right(self) -> Bools:
        """Whether the strong model gives the true label, bool [N]."""
        return self._right(self.by_strong)

    def _right(self, answers: Sequence[Classification]) -> Bools:
        pairs = zip(answers, self.labelled.examples, strict=True)
        return np.array([answer.label == example.label for answer, example in pairs])

    @cached_property
    def differences(self) -> NDArray[np.int64]:
        """1 where the strong model alone is right, -1 where the cheap one alone is, else 0: int64 [N]."""
        return self.strong_right.astype(np.int64) - self.cheap_right

    def measured(self, kept: Bools) -> tuple[Measured, Measured, Measured, Measured, Literal["cost", "seconds"]]:
        """Return the worth of cheap, strong, the cascade, a random mix of equal price, and what that is priced in."""
        cheap, strong = _spent(self.by_cheap), _spent(self.by_strong)
        spent = cheap + strong * ~kept[:, np.newaxis]
        right = np.where(kept, self.cheap_right, self.strong_right)
        alone = _measured(self.cheap_right, cheap), _measured(self.strong_right, strong)
        together = _measured(right, spent)
        unit: Literal["cost", "seconds"] = "cost" if any(one.cost for one in alone) else "seconds"
        return *alone, together, _mixed(*alone, getattr(together, unit), unit), unit


def _spent(answers: Sequence[Classification]) -> NDArray[np.float64]:
    """Return US dollars and seconds of each answer, float64 [N, 2]."""
    origins = [answer.provenance for answer in answers]
    return np.array([(0.0, 0.0) if origin is None else (origin.cost, origin.seconds) for origin in origins])


def _measured(right: Bools, spent: NDArray[np.float64]) -> Measured:
    cost, seconds = (spent.mean(axis=0) * 1000).tolist()
    return Measured(accuracy=float(right.mean()), cost=cost, seconds=seconds)


def _mixed(cheap: Measured, strong: Measured, price: float, unit: Literal["cost", "seconds"]) -> Measured:
    """Return what answers drawn at random from the two are worth, in the share that comes to the price."""
    least, most = getattr(cheap, unit), getattr(strong, unit)
    share = float(np.clip((price - least) / (most - least), 0, 1)) if most != least else 1.0
    worth = {name: (1 - share) * getattr(cheap, name) + share * getattr(strong, name) for name in Measured.model_fields}
    return Measured(**worth)
