"""`cascade`: a cheap step first, and a strong one for what the cheap one did not do well enough."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from metier_contracts import PipelineTypeError
from typing_extensions import TypeVar

from metier.pipeline.combine import one_hint, require_steps
from metier.pipeline.engine import Call, Failed, apply
from metier.pipeline.hints import fits, show
from metier.pipeline.lift import step
from metier.pipeline.step import (
    In_contra,
    Out_co,
    Port,
    Step,
    Taint,
    connect,
    edges_between,
    guard,
    names_of,
    share_input,
)
from metier.pipeline.structure import Kind, Role, Structure

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True)
class Cascade(Step[In_contra, Out_co]):
    """What the cheap step gives where `accept` takes it, else what the strong step gives."""

    cheap: Step[Any, Any]
    strong: Step[Any, Any]
    accept: Step[Any, Any]

    @property
    def name(self) -> str:
        """The steps' names."""
        return f"cascade({self.cheap.name}, {self.strong.name}, {self.accept.name})"

    def entries(self) -> Sequence[Port]:
        """Return the entries of both steps: the value may go to either."""
        return [*self.cheap.entries(), *self.strong.entries()]

    def exits(self) -> Sequence[Port]:
        """Return the exits of both steps."""
        return [*self.cheap.exits(), *self.strong.exits()]

    def apply(self, values: Sequence[Any], call: Call) -> list[Any]:
        """Take the values whose result is not accepted through the strong step, as one batch."""
        outcomes = apply(self.cheap, values, call)
        verdicts = apply(self.accept, outcomes, replace(call, giver=names_of(self.cheap.exits())))
        results = [
            verdict if isinstance(verdict, Failed) else outcome
            for verdict, outcome in zip(verdicts, outcomes, strict=True)
        ]
        refused = [p for p, verdict in enumerate(verdicts) if not isinstance(verdict, Failed) and not verdict]
        fresh = apply(self.strong, [values[p] for p in refused], call.only(refused))
        for position, outcome in zip(refused, fresh, strict=True):
            results[position] = outcome
        return results

    def edges(self) -> Sequence[tuple[Port, Port]]:
        """Return those from the cheap step to what judges its result."""
        return edges_between(self.cheap, self.accept)

    def structure(self) -> Structure:
        """Return the steps, in the order in which a value may come to them."""
        return Structure(CASCADE, {"cheap": self.cheap, "accept": self.accept, "strong": self.strong})

    def claims(self) -> Taint | None:
        """Return what either step claims: both are given the value."""
        return self.cheap.claims() or self.strong.claims()

    def guarded(self, taint: Taint | None, after: Taint | None) -> tuple[Step[Any, Any], Taint | None]:
        """Guard the steps. `accept` is given the very value that goes on, and its verdict tells of that value."""
        claim = self.accept.claims() or after
        cheap, given = guard(self.cheap, taint, claim)
        accept, verdict = guard(self.accept, given or claim)
        strong, other = guard(self.strong, taint or verdict, after)
        return replace(self, cheap=cheap, strong=strong, accept=accept), given or self.accept.claims() or other


def cascade(cheap: Step[A, B], strong: Step[A, B], accept: Step[B, bool] | Callable[[B], bool], /) -> Step[A, B]:
    """Return what the cheap step gives where `accept` takes it, else what the strong step gives.

    A value that fails in the cheap step or in `accept` fails: a cascade judges results, `fallback` takes on failures.

    Args:
        cheap: the step that every value goes through.
        strong: the step for the values whose result is not accepted; they go through it as one batch.
        accept: a step or a function from what the cheap step gives to a bool. A lambda takes what that is.

    Raises:
        PipelineTypeError: the steps cannot take the same value, or `accept` does not take what the cheap one gives.
    """
    require_steps("cascade", (cheap, strong), 2)
    judge: Step[Any, Any] = accept if isinstance(accept, Step) else _lifted(accept, cheap)
    share_input("cascade", (cheap, strong))
    connect(cheap, judge)
    if not fits(one_hint(judge), bool):
        raise PipelineTypeError(
            f"step {judge.name!r} of cascade gives no verdict",
            expected="a bool: whether the cheap step's result stays",
            got=f"{judge.name!r} gives {show(one_hint(judge))}",
            blame="accept, the third argument of cascade",
        )
    return Cascade(cheap, strong, judge)


CASCADE = Kind(
    "cascade",
    {"cheap": Role.THEN, "accept": Role.KEY, "strong": Role.UNLESS},
    lambda cheap, accept, strong: cascade(cheap, strong, accept),
)


def _lifted(accept: Callable[[Any], Any], cheap: Step[Any, Any]) -> Step[Any, Any]:
    if getattr(accept, "__name__", "") == "<lambda>":
        return step(accept, takes=one_hint(cheap), gives=bool, name="accept")
    return step(accept)
