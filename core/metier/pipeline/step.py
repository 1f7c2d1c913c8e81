"""`Step[A, B]`: a piece of work from A to B, and `>>`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, NoReturn

from metier_contracts import PipelineTypeError
from typing_extensions import TypeVar

from metier.pipeline.engine import Call, apply
from metier.pipeline.hints import Hint, fits, show

In_contra = TypeVar("In_contra", contravariant=True)
Out_co = TypeVar("Out_co", covariant=True)
Next = TypeVar("Next")


@dataclass(frozen=True)
class Port:
    """One end of a pipeline: the innermost step there, and the type it takes or gives."""

    step: str
    hint: Hint


@dataclass(frozen=True)
class Taint:
    """That data are private: by which step. `held`: nothing within that step releases them."""

    origin: str
    held: bool = False


@dataclass(frozen=True)
class Step(ABC, Generic[In_contra, Out_co]):
    """A piece of work from `In_contra` to `Out_co`: an immutable value without a runtime inside.

    `runtime.run(step, value)` runs it, `first >> second` composes two, and a composition is a step again. Types are
    compared when steps are composed: what does not fit raises `PipelineTypeError` there, before anything runs.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """The step's name for people."""

    @abstractmethod
    def entries(self) -> Sequence[Port]:
        """Return the ports that the step's value goes to; it must fit all of them."""

    @abstractmethod
    def exits(self) -> Sequence[Port]:
        """Return the ports that the step's result may come from."""

    @abstractmethod
    def apply(self, values: Sequence[Any], call: Call) -> list[Any]:
        """Return the outcome of each value, a result or a `Failed`, in order. `run` and `map` call this."""

    def claims(self) -> Taint | None:
        """Return the taint of the step's own value, where a private step is given that very value."""
        return None

    @abstractmethod
    def guarded(self, taint: Taint | None, after: Taint | None) -> tuple[Step[Any, Any], Taint | None]:
        """Return the step as it may run on a value of that taint, and the taint of what it gives. Call `guard`.

        `after`: what the next step claims of the value that this one gives.
        """

    @cached_property
    def secured(self) -> Step[In_contra, Out_co]:
        """The pipeline as it runs: its tasks know which of them private data reach."""
        return guard(self, None)[0]

    def __rshift__(self, other: Step[Out_co, Next]) -> Step[In_contra, Next]:
        """Return the pipeline that does this step and then the other."""
        if not isinstance(other, Step):
            raise _no_step(f"step {self.name!r} is followed by something that is no step", other)
        connect(self, other)
        return Chain((*parts(self), *parts(other)))

    if not TYPE_CHECKING:  # a type checker would take it for leave to put anything before a step

        def __rrshift__(self, other: object) -> NoReturn:
            """Refuse what stands before the step and is none."""
            raise _no_step(f"step {self.name!r} follows something that is no step", other)


def _no_step(summary: str, other: object) -> PipelineTypeError:
    return PipelineTypeError(
        summary,
        expected="a Step",
        got=type(other).__name__,
        blame="the operands of >>",
        hint="lift a function with @step, or with @task where it makes a request",
    )


@dataclass(frozen=True)
class Chain(Step[In_contra, Out_co]):
    """Steps one after the other."""

    steps: tuple[Step[Any, Any], ...]

    @property
    def name(self) -> str:
        """The names of the steps, joined."""
        return " >> ".join(step.name for step in self.steps)

    def entries(self) -> Sequence[Port]:
        """Return the ports of the first step."""
        return self.steps[0].entries()

    def exits(self) -> Sequence[Port]:
        """Return the ports of the last step."""
        return self.steps[-1].exits()

    def apply(self, values: Sequence[Any], call: Call) -> list[Any]:
        """Take the values through each step in turn; a value that failed goes no further."""
        outcomes = list(values)
        for step in self.steps:
            outcomes = apply(step, outcomes, call)
        return outcomes

    def claims(self) -> Taint | None:
        """Return what the first step claims."""
        return self.steps[0].claims()

    def guarded(self, taint: Taint | None, after: Taint | None) -> tuple[Step[Any, Any], Taint | None]:
        """Guard each step against the taint of what the one before it gives."""
        guarded = []
        claims = [*(step.claims() for step in self.steps[1:]), after]
        for step, claim in zip(self.steps, claims, strict=True):
            safe, taint = guard(step, taint, claim)
            guarded.append(safe)
        return replace(self, steps=tuple(guarded)), taint


def parts(step: Step[Any, Any]) -> tuple[Step[Any, Any], ...]:
    """Return the steps of a chain, or the step itself."""
    return step.steps if isinstance(step, Chain) else (step,)


def leaves(step: Step[Any, Any]) -> Iterator[Step[Any, Any]]:
    """Yield the steps within a step that have none within them, in order; one that stands twice comes twice."""
    inner = list(_held(tuple(getattr(step, field.name) for field in fields(step))))
    if not inner:
        yield step
    for one in inner:
        yield from leaves(one)


def _held(value: object) -> Iterator[Step[Any, Any]]:
    if isinstance(value, Step):
        yield value
    elif isinstance(value, tuple):
        for member in value:
            yield from _held(member)


def guard(step: Step[Any, Any], taint: Taint | None, after: Taint | None = None) -> tuple[Step[Any, Any], Taint | None]:
    """Return a step as it may run on a value of that taint, or of what it claims, and the taint of what it gives."""
    return step.guarded(taint or step.claims(), after)


def guard_all(
    steps: Sequence[Step[Any, Any]], taint: Taint | None, after: Taint | None
) -> tuple[tuple[Step[Any, Any], ...], Taint | None]:
    """Guard steps that are given the same value, and return them with the taint of what they give together."""
    guarded = [guard(step, taint, after) for step in steps]
    return tuple(step for step, _ in guarded), next((given for _, given in guarded if given is not None), None)


def claimed(steps: Sequence[Step[Any, Any]]) -> Taint | None:
    """Return what the first of the steps claims that claims anything."""
    return next((taint for step in steps if (taint := step.claims()) is not None), None)


def share_input(what: str, steps: Sequence[Step[Any, Any]]) -> None:
    """Raise `PipelineTypeError` unless one value can go to all the steps: of any two types, one fits the other."""
    entries = [port for step in steps for port in step.entries()]
    for position, one in enumerate(entries):
        for other in entries[:position]:
            if not (fits(one.hint, other.hint) or fits(other.hint, one.hint)):
                raise PipelineTypeError(
                    f"steps {other.step!r} and {one.step!r} of {what} cannot take the same value",
                    expected=f"{one.step!r} takes {show(other.hint)}, as {other.step!r} does",
                    got=f"{one.step!r} takes {show(one.hint)}",
                    blame=f"the arguments of {what}",
                )


def connect(first: Step[Any, Any], second: Step[Any, Any]) -> None:
    """Raise `PipelineTypeError` unless whatever `first` gives fits all that `second` takes."""
    for giver in first.exits():
        for taker in second.entries():
            if not fits(giver.hint, taker.hint):
                raise PipelineTypeError(
                    f"step {giver.step!r} does not fit step {taker.step!r}",
                    expected=f"{taker.step!r} takes {show(taker.hint)}",
                    got=f"{giver.step!r} gives {show(giver.hint)}",
                    blame="the composition of the two steps",
                    hint="put a step between them that turns the one into the other",
                )
