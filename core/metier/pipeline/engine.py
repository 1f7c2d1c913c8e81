"""How a pipeline runs: a batch of values goes through step by step, so that each model sees a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from metier_contracts import CallContext, InputError, MetierError, Request

from metier.pipeline.hints import show
from metier.pipeline.semantics import Breach, Finder
from metier.pipeline.values import Test
from metier.tracing import fail, opened, step_span, tracer

if TYPE_CHECKING:
    from metier.pipeline.step import Port, Step
    from metier.selection import Terms


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
    step before the one that runs.
    """

    perform: Perform
    context: CallContext
    remembered: Remember
    giver: str | None = None


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


def apply(step: Step[Any, Any], values: Sequence[Any], call: Call) -> list[Any]:
    """Apply a step to the values that have not failed; those that have stay as they are."""
    if step.breach is not None:
        values = [value if isinstance(value, Failed) else _held(value, step, step.breach, call) for value in values]
    healthy = [value for value in values if not isinstance(value, Failed)]
    if not healthy:
        return list(values)
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


def run_one(step: Step[Any, Any], value: Any, call: Call) -> Any:
    """Run a pipeline on one value: return its result or raise its error."""
    outcome = run_batch(step, [value], call)[0]
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
