"""How a pipeline runs: a batch of values goes through step by step, so that each model sees a batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from metier_contracts import CallContext, InputError, MetierError, Request

from metier.pipeline.hints import show
from metier.pipeline.semantics import Breach, Finder
from metier.pipeline.trace import Beside, Trace, Worked
from metier.pipeline.values import Test
from metier.tracing import fail, opened, step_span, tracer

if TYPE_CHECKING:
    from metier.pipeline.step import Port, Step
    from metier.terms import Terms


class Perform(Protocol):
    """Answers requests: each by its response or its error, in order."""

    def __call__(self, requests: Sequence[Request[Any]], context: CallContext, terms: Terms) -> Sequence[Any]:
        """Return the answers."""
        ...


Remember = Callable[[Perform, bool], Perform]


@dataclass(frozen=True)
class Call:
    """What a step needs from the runtime while it runs.

    `remembered`: of what performs requests makes what keeps their answers too, on disk if so told. `giver` names the
    step before the one that runs. `traces`: of each value, where to put down what it goes through; None for nowhere.
    """

    perform: Perform
    context: CallContext
    remembered: Remember
    giver: str | None = None
    traces: Sequence[Trace] | None = None

    def only(self, places: Sequence[int]) -> Call:
        """Return the call for some of its values: those at these places, which may come more than once."""
        traces = self.traces
        return self if traces is None else replace(self, traces=[traces[place] for place in places])

    def apart(self, arms: int) -> list[Call]:
        """Return a call for each of several steps that take the same values at the same time; see `join`."""
        if self.traces is None:
            return [self] * arms
        return [replace(self, traces=[Trace() for _ in self.traces]) for _ in range(arms)]

    def join(self, arms: Sequence[Call]) -> None:
        """Put down what each value went through in the calls that `apart` returned."""
        for place, trace in enumerate(self.traces or ()):
            trace.entries.append(Beside(tuple(tuple(arm.traces[place].entries) for arm in arms if arm.traces)))


@dataclass(frozen=True, slots=True)
class Failed:
    """The outcome of a value whose step raised."""

    error: Exception


def failed(error: Exception, step: str) -> Failed:
    """Return the failure of a value, its exception marked with the step where it arose."""
    note = f"in step {step!r}"
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)
    return Failed(error)


def settled(answers: Sequence[Any]) -> list[Any]:
    """Return the answers to requests, each error as a `Failed`."""
    return [Failed(answer) if isinstance(answer, MetierError) else answer for answer in answers]


def attempt(function: Callable[[Any], Any], value: Any, step: str) -> Any:
    """Return `function(value)`, or the `Failed` of what it raised."""
    try:
        return function(value)
    except Exception as error:
        return failed(error, step)


def attempts(function: Callable[[Any], Any], values: Sequence[Any], step: str, call: Call) -> list[Any]:
    """Return what `attempt` does for each value, and put down the seconds that it took."""
    if call.traces is None:
        return [attempt(function, value, step) for value in values]
    outcomes = []
    for value, trace in zip(values, call.traces, strict=True):
        started = time.perf_counter()
        outcomes.append(attempt(function, value, step))
        trace.entries.append(Worked(step, time.perf_counter() - started))
    return outcomes


def apply(step: Step[Any, Any], values: Sequence[Any], call: Call) -> list[Any]:
    """Apply a step to the values that have not failed; those that have stay as they are."""
    if step.breach is not None:
        values = [value if isinstance(value, Failed) else _held(value, step, step.breach, call) for value in values]
    healthy = [value for value in values if not isinstance(value, Failed)]
    if not healthy:
        return list(values)
    if len(healthy) < len(values):
        call = call.only([place for place, value in enumerate(values) if not isinstance(value, Failed)])
    try:
        call.context.check()
    except MetierError as error:
        fresh: list[Any] = [failed(error, step.name)] * len(healthy)
    else:
        fresh = _traced(step, healthy, call)
    if len(healthy) == len(values):
        return fresh
    outcomes = iter(fresh)
    return [value if isinstance(value, Failed) else next(outcomes) for value in values]


def _held(value: Any, step: Step[Any, Any], breach: Finder, call: Call) -> Any:
    """Return the value, or the failure of one that breaks the semantics which the step declares."""
    found = attempt(breach, value, step.name)
    if isinstance(found, Breach):
        return failed(found.error(f"step {step.name!r}", call.giver), step.name)
    return value if found is None else found


def _traced(step: Step[Any, Any], values: Sequence[Any], call: Call) -> list[Any]:
    """Apply a step within its span; a chain has none, since it is nothing but its steps."""
    made = tracer()
    if made is None or step.is_chain:
        return step.apply(values, call)
    with opened(step_span(made, step.name, len(values))) as span:
        outcomes = step.apply(values, call)
        fail(span, [outcome.error for outcome in outcomes if isinstance(outcome, Failed)])
        return outcomes


def whole(outcome: Any) -> Any:
    """Return the outcome of a value, or raise its error."""
    if isinstance(outcome, Failed):
        raise outcome.error
    return outcome


def run_batch(step: Step[Any, Any], values: Sequence[Any], call: Call) -> list[Any]:
    """Run a pipeline on values: return the result of each or its `Failed`, in order."""
    return apply(step, [_checked(value, step.tests) for value in values], call)


def _checked(value: Any, tests: Sequence[tuple[Port, Test]]) -> Any:
    refusing = next((entry for entry, accepts in tests if not accepts(value)), None)
    if refusing is None:
        return value
    error = InputError(
        f"the pipeline does not take this value: {value!r:.80}",
        expected=f"step {refusing.step!r} takes {show(refusing.hint)}",
        got=_described(value),
        blame="the value given to the pipeline",
    )
    return Failed(error)


def _described(value: Any) -> str:
    members = sorted({type(member).__name__ for member in value}) if isinstance(value, list | tuple | set) else []
    return f"{type(value).__name__} of {', '.join(members)}" if members else type(value).__name__
