"""`unchecked`: the edges of a pipeline whose semantics can only be told when it runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from metier_contracts import Semantic

from metier.pipeline.hints import fits
from metier.pipeline.step import Step


@dataclass(frozen=True)
class Unchecked:
    """A semantic that `taker` declares, and of which `giver`, the step before it, does not say enough."""

    giver: str
    taker: str
    semantic: Semantic


def unchecked(pipeline: Step[Any, Any], /) -> tuple[Unchecked, ...]:
    """Return the edges whose semantics could not be compared when the pipeline was built, each once.

    Their values are checked when it runs, as far as a value shows its semantics.
    """
    return tuple(dict.fromkeys(_found(pipeline)))


def _found(step: Step[Any, Any]) -> Iterator[Unchecked]:
    for giver, taker in step.edges():
        for semantic in fits(giver.hint, taker.hint).unchecked:
            yield Unchecked(giver.step, taker.step, semantic)
    for part in step.structure().parts():
        yield from _found(part.step)
