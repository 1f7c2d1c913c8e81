"""`cache`: what a model answered before is not asked again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from metier_contracts import PipelineTypeError
from typing_extensions import TypeVar

from metier.pipeline.combine import require_steps
from metier.pipeline.engine import Call, apply
from metier.pipeline.lift import TaskStep
from metier.pipeline.step import Around, In_contra, Out_co, Step
from metier.pipeline.structure import Kind, Role, Structure, leaves

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True)
class Cached(Around[In_contra, Out_co]):
    """A step whose requests are answered from earlier answers where there are any."""

    disk: bool = False

    def apply(self, values: Sequence[Any], call: Call) -> list[Any]:
        """Do what the inner step does, and keep what models answer in it."""
        return apply(self.inner, values, replace(call, perform=call.remembered(call.perform, self.disk)))

    def structure(self) -> Structure:
        """Return the inner step, and whether answers are kept on disk."""
        return Structure(CACHE, {"step": self.inner, "disk": self.disk or None}, times=(0, 1))


def cache(inner: Step[A, B], /, *, disk: bool = False) -> Step[A, B]:
    """Answer the requests that a step makes from earlier answers where there are any.

    A request counts as the same where its content is, and the revision of the model that would serve it now: a model
    of another revision is asked anew. Its functions run each time; failures are not kept. An answer drawn at random is
    kept as any other. What comes from the cache costs nothing, and says `cached` in its provenance.

    Args:
        inner: the step.
        disk: keep the answers in a file in the user's cache folder, for later programs too (a gigabyte, then those go
            that were not asked for the longest); else in the memory of the runtime, 64 MB of them. What is kept on
            disk stands there in the clear.

    Raises:
        PipelineTypeError: there is no task in the step, so nothing to keep.
    """
    require_steps("cache", (inner,), 1)
    if not any(isinstance(leaf, TaskStep) for leaf in leaves(inner)):
        raise PipelineTypeError(
            "cache keeps the answers of models, and this step asks none",
            expected="a step with a @task in it",
            got=inner.name,
            blame="the argument of cache",
            hint="for a function use functools.lru_cache",
        )
    return Cached(inner, disk)


CACHE = Kind("cache", {"step": Role.WITHIN, "disk": Role.SETTING}, lambda step, disk=False: cache(step, disk=disk))
