"""`private`: what a step is given stays on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from metier_contracts import ModelCard, PrivacyError
from typing_extensions import TypeVar

from metier.pipeline.combine import require_steps
from metier.pipeline.engine import Call, apply
from metier.pipeline.lift import TaskStep
from metier.pipeline.step import Around, In_contra, Out_co, Step, Taint, guard
from metier.pipeline.structure import Kind, Role, Structure, leaves

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True)
class Private(Around[In_contra, Out_co]):
    """A step whose values are private, and what it gives too unless `release` says otherwise."""

    release: bool = False

    def apply(self, values: Sequence[Any], call: Call) -> list[Any]:
        """Do what the inner step does: its tasks know already."""
        return apply(self.inner, values, call)

    def structure(self) -> Structure:
        """Return the inner step, and whether what it gives is private no longer."""
        return Structure(PRIVATE, {"step": self.inner, "release": self.release or None})

    def claims(self) -> Taint | None:
        """Claim the value."""
        return Taint(self.name)

    def guarded(self, taint: Taint | None, after: Taint | None) -> tuple[Step[Any, Any], Taint | None]:
        """Guard all of the inner step: within it nothing is released, and within another private step neither is it."""
        inner, _ = guard(self.inner, Taint(self.name, held=True), after)
        given = taint if taint is not None and taint.held else None if self.release else Taint(self.name)
        return replace(self, inner=inner), given


def private(inner: Step[A, B], /, *, release: bool = False) -> Step[A, B]:
    """Mark what a step takes as private: no remote model sees it, whatever the runtime allows.

    That holds for the step, for every other step that is given the same value (in `parallel`, `route`, `fallback`,
    `cascade`), and for all that its results flow into.

    Args:
        inner: the step.
        release: what the step gives is private no longer: it has taken out what was.
    """
    require_steps("private", (inner,), 1)
    return Private(inner, release)


PRIVATE = Kind(
    "private",
    {"step": Role.WITHIN, "release": Role.SETTING},
    lambda step, release=False: private(step, release=release),
)


def private_tasks(pipeline: Step[Any, Any]) -> list[TaskStep[Any, Any]]:
    """Return the tasks that private data reach, in order; each one's `private` names the step that makes them so."""
    tasks = [leaf for leaf in leaves(pipeline.secured) if isinstance(leaf, TaskStep)]
    return [task for task in tasks if task.private is not None]


def refuse_remote(task: TaskStep[Any, Any], card: ModelCard) -> None:
    """Raise `PrivacyError` where the model that a task names is remote, and private data reach the task."""
    if task.private is not None and card.remote:
        raise PrivacyError(
            f"private data would go to a remote model: from step {task.private!r} to task {task.name!r}",
            expected=f"a model that runs on this machine for {task.name!r}",
            got=f"model={card.id!r} at {card.source}",
            blame=f"model=... of the task {task.name!r}, or {task.private!r}",
            hint="name a local model, or none, or take out what is private before: private(redact, release=True)",
        )
