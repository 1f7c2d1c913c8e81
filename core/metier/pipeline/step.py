"""`Step[A, B]`: a piece of work from A to B, and `>>`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn

from metier_contracts import PipelineTypeError
from typing_extensions import TypeVar

from metier.pipeline.engine import Call, apply
from metier.pipeline.hints import Hint, declared, fits, show
from metier.pipeline.semantics import Finder
from metier.pipeline.structure import Kind, Role, Structure
from metier.pipeline.values import Test, acceptor

if TYPE_CHECKING:
    from rich.tree import Tree

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

    is_chain: ClassVar[bool] = False

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

    def edges(self) -> Sequence[tuple[Port, Port]]:
        """Return what gives and what takes on each edge between steps inside, those inside of these left out."""
        return ()

    @cached_property
    def breach(self) -> Finder | None:
        """What finds the first breach of the semantics that the step itself declares; None where it declares none."""
        return None

    @cached_property
    def tests(self) -> Sequence[tuple[Port, Test]]:
        """The entries, each with the test of whether a value is of its type."""
        return [(entry, acceptor(entry.hint)) for entry in self.entries()]

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is found once and kept, which copies find for themselves."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @abstractmethod
    def structure(self) -> Structure:
        """Return what the step is made of: its kind, its settings and the steps in it."""

    def to_mermaid(self) -> str:
        """Return the pipeline as a flowchart in the language of Mermaid (11.3 or newer)."""
        from metier.pipeline.mermaid import flowchart

        return flowchart(self)

    def __rich__(self) -> Tree:
        from metier.pipeline.tree import tree

        return tree(self)

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


CHAIN = Kind("chain", {"steps": Role.THEN})


@dataclass(frozen=True)
class Chain(Step[In_contra, Out_co]):
    """Steps one after the other."""

    is_chain: ClassVar[bool] = True

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
        for step, giver in zip(self.steps, self._givers, strict=True):
            outcomes = apply(step, outcomes, call if giver is None else replace(call, giver=giver))
        return outcomes

    def edges(self) -> Sequence[tuple[Port, Port]]:
        """Return those from each step to the next."""
        return [edge for first, second in pairwise(self.steps) for edge in edges_between(first, second)]

    def structure(self) -> Structure:
        """Return the steps."""
        return Structure(CHAIN, {"steps": self.steps})

    @cached_property
    def _givers(self) -> Sequence[str | None]:
        """For each step that declares semantics the name of the one before it, by which errors blame it; else None."""
        given = (
            names_of(first.exits()) if any(_declares(port) for port in second.entries()) else None
            for first, second in pairwise(self.steps)
        )
        return (None, *given)

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


def _declares(port: Port) -> bool:
    return next(declared(port.hint), None) is not None


def edges_between(first: Step[Any, Any], second: Step[Any, Any]) -> list[tuple[Port, Port]]:
    """Return each exit of `first` with each entry of `second`."""
    return [(giver, taker) for giver in first.exits() for taker in second.entries()]


def names_of(ports: Sequence[Port]) -> str:
    """Return the names of the ports' steps, as an error blames them."""
    return " or ".join(dict.fromkeys(repr(port.step) for port in ports))


@dataclass(frozen=True)
class Around(Step[In_contra, Out_co]):
    """A step done in the way that its kind says: it takes and gives what the inner step does."""

    inner: Step[Any, Any]

    @property
    def name(self) -> str:
        """The kind and the inner step's name."""
        return f"{self.structure().kind.name}({self.inner.name})"

    def entries(self) -> Sequence[Port]:
        """Return the entries of the inner step."""
        return self.inner.entries()

    def exits(self) -> Sequence[Port]:
        """Return the exits of the inner step."""
        return self.inner.exits()

    def claims(self) -> Taint | None:
        """Return what the inner step claims."""
        return self.inner.claims()

    def guarded(self, taint: Taint | None, after: Taint | None) -> tuple[Step[Any, Any], Taint | None]:
        """Guard the inner step."""
        inner, given = guard(self.inner, taint, after)
        return replace(self, inner=inner), given


def parts(step: Step[Any, Any]) -> tuple[Step[Any, Any], ...]:
    """Return the steps of a chain, or the step itself."""
    return step.steps if isinstance(step, Chain) else (step,)


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


def share_input(what: str, steps: Sequence[Step[Any, Any]], chosen: Sequence[Step[Any, Any]] = ()) -> None:
    """Raise `PipelineTypeError` unless one value can go to all the steps: of any two types, one fits the other.

    `chosen`: steps of which a value goes to one, beside the others; their semantics may differ from each other.
    """
    shared = [port for step in steps for port in step.entries()]
    entries = [*shared, *(port for step in chosen for port in step.entries())]
    for position, one in enumerate(entries):
        for place, other in enumerate(entries[:position]):
            both = (fits(one.hint, other.hint), fits(other.hint, one.hint))
            apart = place >= len(shared)
            if not any(fit.types if apart else fit for fit in both):
                raise PipelineTypeError(
                    f"steps {other.step!r} and {one.step!r} of {what} cannot take the same value{both[1].reason}",
                    expected=f"{one.step!r} takes {show(other.hint)}, as {other.step!r} does",
                    got=f"{one.step!r} takes {show(one.hint)}",
                    blame=f"the arguments of {what}",
                )


def connect(first: Step[Any, Any], second: Step[Any, Any]) -> None:
    """Raise `PipelineTypeError` unless whatever `first` gives fits all that `second` takes."""
    for giver in first.exits():
        for taker in second.entries():
            fit = fits(giver.hint, taker.hint)
            if not fit:
                raise PipelineTypeError(
                    f"step {giver.step!r} does not fit step {taker.step!r}{fit.reason}",
                    expected=f"{taker.step!r} takes {show(taker.hint)}",
                    got=f"{giver.step!r} gives {show(giver.hint)}",
                    blame="the composition of the two steps",
                    hint=fit.remedy,
                )
