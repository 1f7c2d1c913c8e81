"""`parallel`, `each` and `fallback`: steps from steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import cached_property
from types import GenericAlias
from typing import Any, Union, overload

from metier_contracts import Cancelled, DeadlineExceeded, InputError, PipelineTypeError
from typing_extensions import TypeVar

from metier.pipeline.engine import Call, Failed, apply, attempt
from metier.pipeline.fit import UNFIT, Fit
from metier.pipeline.hints import Hint, fits, show
from metier.pipeline.semantics import Finder, finder
from metier.pipeline.signature import fields_of, name_of
from metier.pipeline.step import Around, In_contra, Out_co, Port, Step, Taint, claimed, guard_all, share_input
from metier.pipeline.structure import Kind, Role, Structure

A = TypeVar("A")
B = TypeVar("B")
B1 = TypeVar("B1")
B2 = TypeVar("B2")
B3 = TypeVar("B3")
B4 = TypeVar("B4")
B5 = TypeVar("B5")


def sequence_of(hint: Hint) -> Hint:
    """Return `Sequence[hint]`."""
    return GenericAlias(Sequence, (hint,))


def one_hint(step: Step[Any, Any]) -> Hint:
    """Return what a step gives as one hint: the union over its exits."""
    return Union[tuple(port.hint for port in step.exits())]  # noqa: UP007


@dataclass(frozen=True)
class Parallel(Step[In_contra, Out_co]):
    """Several steps on the same value; `build` makes the result from theirs, in order."""

    arms: tuple[Step[Any, Any], ...]
    gives: Hint
    names: tuple[str, ...] | None = None
    into: Callable[..., Any] | None = None

    @property
    def name(self) -> str:
        """The arms' names."""
        return f"parallel({', '.join(arm.name for arm in self.arms)})"

    def entries(self) -> Sequence[Port]:
        """Return the entries of every arm: the value goes to all."""
        return [port for arm in self.arms for port in arm.entries()]

    def exits(self) -> Sequence[Port]:
        """Return the tuple, or what `into` makes."""
        return (Port(self.name, self.gives),)

    def edges(self) -> Sequence[tuple[Port, Port]]:
        """Return those from the arms to the fields of `into`."""
        title, hints = name_of(self.into), self._hints
        return [(port, Port(f"{title}.{name}", hints[name])) for name, arm in self._by_field for port in arm.exits()]

    @property
    def _by_field(self) -> Sequence[tuple[str, Step[Any, Any]]]:
        return tuple(zip(self.names or (), self.arms, strict=False))

    @property
    def _hints(self) -> Mapping[str, Hint]:
        return {} if self.into is None else fields_of(self.into).takes

    @cached_property
    def _breaches(self) -> Sequence[tuple[str, str, Finder]]:
        """For each field that declares semantics: its name, the arm's, and what finds breaches of them."""
        hints = self._hints
        return [(name, repr(arm.name), one) for name, arm in self._by_field if (one := finder(hints[name])) is not None]

    def apply(self, values: Sequence[Any], call: Call) -> list[Any]:
        """Run each arm in a thread of its own, the last in the caller's."""
        calls = call.apart(len(self.arms))
        *others, last = zip(self.arms, calls, strict=True)
        with ThreadPoolExecutor(max(len(others), 1), thread_name_prefix="metier-parallel") as pool:
            running = [pool.submit(copy_context().run, apply, arm, values, own) for arm, own in others]
            outcomes = apply(last[0], values, last[1])
            rows = list(zip(*(future.result() for future in running), outcomes, strict=True))
        call.join(calls)
        return [self._join(row) for row in rows]

    def structure(self) -> Structure:
        """Return the arms, by field where a record is made of them."""
        arms = self.arms if self.names is None else dict(zip(self.names, self.arms, strict=True))
        return Structure(PARALLEL, {"arms": arms, "into": self.into})

    def claims(self) -> Taint | None:
        """Return what any arm claims: all are given the value."""
        return claimed(self.arms)

    def guarded(self, taint: Taint | None, after: Taint | None) -> tuple[Step[Any, Any], Taint | None]:
        """Guard each arm."""
        arms, given = guard_all(self.arms, taint, after)
        return replace(self, arms=arms), given

    def _join(self, row: tuple[Any, ...]) -> Any:
        failure = next((outcome for outcome in row if isinstance(outcome, Failed)), None)
        if failure is not None:
            return failure
        into = self.into
        if into is None or self.names is None:
            return row
        named = dict(zip(self.names, row, strict=True))
        return attempt(lambda _: self._made(into, named), None, self.name)

    def _made(self, into: Callable[..., Any], named: Mapping[str, Any]) -> Any:
        for name, giver, breach in self._breaches:
            found = breach(named[name])
            if found is not None:
                raise found.error(f"field {name!r} of {name_of(into)}", giver)
        return into(**named)


@overload
def parallel(a: Step[A, B1], b: Step[A, B2], /) -> Step[A, tuple[B1, B2]]: ...
@overload
def parallel(a: Step[A, B1], b: Step[A, B2], c: Step[A, B3], /) -> Step[A, tuple[B1, B2, B3]]: ...
@overload
def parallel(a: Step[A, B1], b: Step[A, B2], c: Step[A, B3], d: Step[A, B4], /) -> Step[A, tuple[B1, B2, B3, B4]]: ...
@overload
def parallel(
    a: Step[A, B1], b: Step[A, B2], c: Step[A, B3], d: Step[A, B4], e: Step[A, B5], /
) -> Step[A, tuple[B1, B2, B3, B4, B5]]: ...
@overload
def parallel(*, into: Callable[..., B], **arms: Step[A, Any]) -> Step[A, B]: ...
def parallel(*arms: Step[Any, Any], into: Callable[..., Any] | None = None, **named: Step[Any, Any]) -> Any:
    """Run several steps on the same value, at the same time.

    `parallel(a, b)` gives the tuple of their results; `parallel(into=Record, x=a, y=b)` gives `Record(x=..., y=...)`.

    Raises:
        PipelineTypeError: fewer than two steps, or `into` has no such fields, or a step does not fit its field.
    """
    steps = (*arms, *named.values())
    require_steps("parallel", steps, 2 if into is None else 1)
    if arms if into is not None else named:
        raise PipelineTypeError(
            "parallel takes steps by position, or by name with into=...",
            expected="parallel(a, b) or parallel(into=Record, x=a, y=b)",
            got="steps by name without into" if into is None else "steps by position with into",
            blame="the arguments of parallel",
        )
    share_input("parallel", steps)
    if into is None:
        return Parallel(steps, GenericAlias(tuple, tuple(one_hint(step) for step in steps)))
    return Parallel(steps, _checked_fields(into, named), tuple(named), into)


def _parallel(arms: tuple[Step[Any, Any], ...] | dict[Any, Step[Any, Any]], into: Any = None) -> Step[Any, Any]:
    if isinstance(arms, tuple):
        return parallel(*arms, into=into)
    stranger = next((name for name in arms if not isinstance(name, str) or name == "into"), None)
    if stranger is not None:
        raise _misfit(name_of(into), "fields named by strings, none of them 'into'", repr(stranger))
    return parallel(into=into, **arms)


PARALLEL = Kind("parallel", {"arms": Role.ALL, "into": Role.RECORD}, _parallel)


def require_steps(what: str, steps: Sequence[object], least: int) -> None:
    """Raise `PipelineTypeError` unless there are as many steps as that, and nothing else."""
    stranger = next((step for step in steps if not isinstance(step, Step)), None)
    if stranger is not None or len(steps) < least:
        raise PipelineTypeError(
            f"{what} takes steps",
            expected=f"at least {least}, each a Step",
            got=f"{len(steps)}" if stranger is None else type(stranger).__name__,
            blame=f"the arguments of {what}",
            hint="lift a function with @step or @task",
        )


def _checked_fields(into: Callable[..., Any], named: Mapping[str, Step[Any, Any]]) -> Hint:
    """Return what `into` gives, once each step is known to fit its field and none is missing."""
    title, fields = name_of(into), fields_of(into)
    known = ", ".join(fields.takes) or "none"
    for name, step in named.items():
        if name not in fields.takes:
            raise _misfit(title, f"a field among {known}", f"{name!r} for step {step.name!r}")
        fit = fits(one_hint(step), fields.takes[name])
        if not fit:
            expected = f"field {name!r} takes {show(fields.takes[name])}"
            raise _misfit(title, expected, f"step {step.name!r} gives {show(one_hint(step))}", fit)
    absent = [name for name in fields.takes if name in fields.needs and name not in named]
    if absent:
        raise _misfit(title, f"a step for each of {known}", f"none for {', '.join(absent)}")
    return fields.gives


def _misfit(title: str, expected: str, got: str, fit: Fit = UNFIT) -> PipelineTypeError:
    return PipelineTypeError(
        f"parallel(into={title}) does not fit{fit.reason}",
        expected=expected,
        got=got,
        blame="the keyword arguments of parallel",
        hint=fit.remedy if fit.clashes else None,
    )


@dataclass(frozen=True)
class Each(Around[In_contra, Out_co]):
    """A step on each member of a sequence."""

    def entries(self) -> Sequence[Port]:
        """Return sequences of what the inner step takes."""
        return [Port(self.name, sequence_of(port.hint)) for port in self.inner.entries()]

    def exits(self) -> Sequence[Port]:
        """Return the list of what the inner step gives."""
        return (Port(self.name, GenericAlias(list, (one_hint(self.inner),))),)

    def apply(self, values: Sequence[Any], call: Call) -> list[Any]:
        """Run the members of all values through the inner step as one batch."""
        rows = [attempt(self._members, value, self.name) for value in values]
        whole = [(place, row) for place, row in enumerate(rows) if not isinstance(row, Failed)]
        own = call.only([place for place, row in whole for _ in row])
        outcomes = iter(apply(self.inner, [member for _, row in whole for member in row], own))
        return [row if isinstance(row, Failed) else _all_or_failure([next(outcomes) for _ in row]) for row in rows]

    def structure(self) -> Structure:
        """Return the inner step."""
        return Structure(EACH, {"step": self.inner}, times=None)

    def _members(self, value: Any) -> list[Any]:
        try:
            members = iter(value)
        except TypeError:
            raise InputError(
                f"there are no members in {value!r:.80}",
                expected=f"a sequence for step {self.name!r}",
                got=type(value).__name__,
                blame=f"the step before {self.name!r}",
            ) from None
        return list(members)


def _all_or_failure(outcomes: list[Any]) -> Any:
    return next((outcome for outcome in outcomes if isinstance(outcome, Failed)), outcomes)


def each(inner: Step[A, B], /) -> Step[Sequence[A], list[B]]:
    """Run a step on each member of a sequence, all of them as one batch. One that fails fails the sequence."""
    require_steps("each", (inner,), 1)
    return Each(inner)


EACH = Kind("each", {"step": Role.WITHIN}, lambda step: each(step))


@dataclass(frozen=True)
class Fallback(Step[In_contra, Out_co]):
    """The first step that does not fail."""

    steps: tuple[Step[Any, Any], ...]

    @property
    def name(self) -> str:
        """The steps' names."""
        return f"fallback({', '.join(step.name for step in self.steps)})"

    def entries(self) -> Sequence[Port]:
        """Return the entries of every step: the value may go to any."""
        return [port for step in self.steps for port in step.entries()]

    def exits(self) -> Sequence[Port]:
        """Return the exits of every step."""
        return [port for step in self.steps for port in step.exits()]

    def apply(self, values: Sequence[Any], call: Call) -> list[Any]:
        """Take the values that failed to the next step; each one's last error stands where all fail."""
        outcomes = apply(self.steps[0], values, call)
        for step in self.steps[1:]:
            retried = [position for position, outcome in enumerate(outcomes) if _may_retry(outcome)]
            fresh = apply(step, [values[position] for position in retried], call.only(retried))
            for position, outcome in zip(retried, fresh, strict=True):
                outcomes[position] = outcome
        return outcomes

    def structure(self) -> Structure:
        """Return the steps."""
        return Structure(FALLBACK, {"steps": self.steps})

    def claims(self) -> Taint | None:
        """Return what any step claims: each may be given the value."""
        return claimed(self.steps)

    def guarded(self, taint: Taint | None, after: Taint | None) -> tuple[Step[Any, Any], Taint | None]:
        """Guard each step."""
        steps, given = guard_all(self.steps, taint, after)
        return replace(self, steps=steps), given


def _may_retry(outcome: Any) -> bool:
    """A caller that no longer waits has no use for another try."""
    return isinstance(outcome, Failed) and not isinstance(outcome.error, Cancelled | DeadlineExceeded)


def fallback(first: Step[A, B], second: Step[A, B], /, *others: Step[A, B]) -> Step[A, B]:
    """Return the result of the first step that does not fail; where all fail, the last one's error."""
    steps = (first, second, *others)
    require_steps("fallback", steps, 2)
    share_input("fallback", steps)
    return Fallback(steps)


FALLBACK = Kind("fallback", {"steps": Role.ELSE}, lambda steps: fallback(*steps))
