"""`Fit`: how what one step gives fits what another takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from metier_contracts import Semantic


@dataclass(frozen=True)
class Fit:
    """How what is given fits what is taken; true where it does.

    `types`: whether the types alone do. `clashes`: the semantics, (given, taken), that differ. `unchecked`: those taken
    of which what is given does not say enough.
    """

    types: bool = True
    clashes: tuple[tuple[Semantic, Semantic], ...] = ()
    unchecked: tuple[Semantic, ...] = ()

    def __bool__(self) -> bool:
        return self.types and not self.clashes

    @property
    def reason(self) -> str:
        """The first clash, to stand at the end of a sentence; nothing where the types already differ."""
        return "".join(f": {given!r} does not fit {taken!r}" for given, taken in self.clashes[:1])

    @property
    def remedy(self) -> str:
        """What to type where this does not fit."""
        if not self.clashes:
            return "put a step between them that turns the one into the other"
        given, taken = self.clashes[0]
        return f"put a step between them that turns {given!r} into {taken!r}, or correct what either declares"


FIT, UNFIT = Fit(), Fit(types=False)


def all_of(parts: Iterable[Fit]) -> Fit:
    """Return the fit of what fits where all its parts do."""
    clashes: list[tuple[Semantic, Semantic]] = []
    unchecked: list[Semantic] = []
    for part in parts:
        if not part.types:
            return UNFIT
        clashes += part.clashes
        unchecked += part.unchecked
    return Fit(True, tuple(clashes), tuple(unchecked)) if clashes or unchecked else FIT


def any_of(alternatives: Iterable[Fit]) -> Fit:
    """Return the best of the fits, of what fits where one does."""
    best = UNFIT
    for one in alternatives:
        if one == FIT:
            return FIT
        best = min(best, one, key=lambda fit: (not fit.types, len(fit.clashes), len(fit.unchecked)))
    return best
