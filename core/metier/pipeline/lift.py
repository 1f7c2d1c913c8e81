"""`@step` and `@task`: steps from functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self, overload

from metier_contracts import MetierError, PipelineTypeError, Request, Response
from typing_extensions import TypeVar

from metier.accounting import at_step
from metier.decision.requirements import Requirements
from metier.pipeline.engine import Call, Failed, attempts, failed
from metier.pipeline.hints import Hint
from metier.pipeline.semantics import Finder, finder
from metier.pipeline.signature import name_of, refuse_async, response_hint, signature_of, unusable
from metier.pipeline.step import In_contra, Out_co, Port, Step, Taint
from metier.pipeline.structure import Kind, Role, Structure
from metier.pipeline.trace import note_answers
from metier.terms import ANY, Terms

A = TypeVar("A")
B = TypeVar("B")
R = TypeVar("R", bound=Response)


@dataclass(frozen=True)
class Lifted(Step[In_contra, Out_co]):
    """What steps from functions share: the name given, else the function's, and what the step takes and gives."""

    label: str
    takes: Hint
    gives: Hint

    @property
    def name(self) -> str:
        """The name given, else the function's."""
        return self.label

    def entries(self) -> Sequence[Port]:
        """Return what the function takes."""
        return (Port(self.label, self.takes),)

    def exits(self) -> Sequence[Port]:
        """Return what the function gives, or the response to the request that it makes."""
        return (Port(self.label, self.gives),)

    @cached_property
    def breach(self) -> Finder | None:
        """What finds the breaches of the semantics that the function's parameter declares."""
        return finder(self.takes)


STEP = Kind("step")
TASK = Kind("task", {"model": Role.SETTING})


@dataclass(frozen=True)
class FunctionStep(Lifted[In_contra, Out_co]):
    """A function as a step. It can be called alone, without a runtime, though type checkers see a `Step`."""

    function: Callable[[Any], Any]

    def apply(self, values: Sequence[Any], call: Call) -> list[Any]:
        """Call the function on each value."""
        return attempts(self.function, values, self.label, call)

    def structure(self) -> Structure:
        """Return the kind alone: there is no step within."""
        return Structure(STEP)

    def guarded(self, taint: Taint | None, after: Taint | None) -> tuple[Step[Any, Any], Taint | None]:
        """Return the step as it is: what a function gives is as private as what it takes."""
        return self, taint

    def __call__(self, value: In_contra) -> Out_co:
        """Call the function alone, without a runtime."""
        result: Out_co = self.function(value)
        return result


@dataclass(frozen=True)
class TaskStep(Lifted[In_contra, Out_co]):
    """A function that makes a request, and the performing of it, as one step from the value to the response.

    `makes`: the type of the request.
    `private`: the name of the private step whose data come here, None where none do.
    """

    build: Callable[[Any], Request[Any]]
    makes: Hint
    terms: Terms = ANY
    private: str | None = None

    def apply(self, values: Sequence[Any], call: Call) -> list[Any]:
        """Make a request of each value and perform them together."""
        outcomes = attempts(self._request, values, self.label, call)
        made = [place for place, outcome in enumerate(outcomes) if not isinstance(outcome, Failed)]
        if not made:
            return outcomes
        requests = [outcomes[place] for place in made]
        with at_step(self.label):
            answers = call.perform(requests, call.context, self.chosen_by)
        if (traces := call.only(made).traces) is not None:
            note_answers(self.label, traces, requests, answers)
        for place, answer in zip(made, answers, strict=True):
            outcomes[place] = self._outcome(answer)
        return outcomes

    @property
    def chosen_by(self) -> Terms:
        """The terms on which the model is chosen, private data considered."""
        return self.terms if self.private is None else self.terms._replace(private=True)

    def using(self, model: str | None) -> Self:
        """Return the step with another model."""
        return replace(self, terms=self.terms._replace(model=model))

    def structure(self) -> Structure:
        """Return the model's id."""
        return Structure(TASK, {"model": self.terms.model})

    def guarded(self, taint: Taint | None, after: Taint | None) -> tuple[Step[Any, Any], Taint | None]:
        """Keep the task to models on this machine where its value is private."""
        return (self if taint is None else replace(self, private=taint.origin)), taint

    def _request(self, value: Any) -> Request[Any]:
        request = self.build(value)
        if not isinstance(request, Request):
            raise PipelineTypeError(
                f"the task {self.label!r} made no request",
                expected="a request, as its annotation says",
                got=type(request).__name__,
                blame=f"the function {self.label!r}",
            )
        return request

    def _outcome(self, answer: Any) -> Any:
        return failed(answer, self.label) if isinstance(answer, MetierError) else answer


@overload
def step(function: Callable[[A], B], /) -> Step[A, B]: ...
@overload
def step(*, name: str) -> Callable[[Callable[[A], B]], Step[A, B]]: ...
@overload
def step(
    function: Callable[[Any], Any], /, *, takes: type[A], gives: type[B], name: str | None = None
) -> Step[A, B]: ...
def step(
    function: Callable[[Any], Any] | None = None,
    /,
    *,
    takes: Any = None,
    gives: Any = None,
    name: str | None = None,
) -> Any:
    """Lift a function of one value into a `Step`, by its annotations, or by `takes` and `gives` (for a lambda).

    Raises:
        PipelineTypeError: it is no plain function, lacks an annotation, or one cannot be resolved.
    """
    if function is None:
        return lambda decorated: _function_step(decorated, name, takes, gives)
    return _function_step(function, name, takes, gives)


def _function_step(
    function: Callable[[Any], Any], name: str | None, takes: Hint, gives: Hint
) -> FunctionStep[Any, Any]:
    _require_function("step", function)
    if takes is None and gives is None:
        takes, gives = signature_of(function)
    elif takes is None or gives is None:
        given = "takes" if gives is None else "gives"
        raise unusable(name_of(function), "takes=... and gives=...", f"{given}=... alone", "for None write type(None)")
    return FunctionStep(name or name_of(function), takes, gives, function)


def _require_function(what: str, function: Any) -> None:
    is_step = isinstance(function, Step)
    if is_step or not callable(function):
        raise PipelineTypeError(
            f"{what} lifts functions",
            expected="a function of one value",
            got="a Step" if is_step else type(function).__name__,
            blame=f"the argument of {what}",
            hint="a step is used as it is, and composed with >>" if is_step else None,
        )
    refuse_async(function)


@overload
def task(build: Callable[[A], Request[R]], /) -> Step[A, R]: ...
@overload
def task(
    *, model: str | None = None, require: Requirements | None = None, name: str | None = None
) -> Callable[[Callable[[A], Request[R]]], Step[A, R]]: ...
def task(
    build: Callable[[Any], Request[Any]] | None = None,
    /,
    *,
    model: str | None = None,
    require: Requirements | None = None,
    name: str | None = None,
) -> Any:
    """Lift a function that makes a request into the `Step` that performs it.

    Args:
        build: the function, its return annotated with the request's type.
        model: the id of the model to use; None lets the runtime choose.
        require: what the model must keep to; see `Runtime.decide`.
        name: the step's name; None for the function's.

    Raises:
        PipelineTypeError: it is no plain function, or an annotation is missing, cannot be resolved, or is no request
            type.
    """
    terms = Terms(model, require=require)
    if build is None:
        return lambda decorated: _task_step(decorated, terms, name)
    return _task_step(build, terms, name)


def _task_step(build: Callable[[Any], Request[Any]], terms: Terms, name: str | None) -> TaskStep[Any, Any]:
    _require_function("task", build)
    takes, makes = signature_of(build)
    label = name or name_of(build)
    return TaskStep(label, takes, response_hint(makes, label), build, makes, terms)
