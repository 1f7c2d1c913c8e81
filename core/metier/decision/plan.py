"""`Plan`: which models a request or a pipeline would use, and what that takes, before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from metier_contracts import Contract, InputError
from pydantic import Field

from metier.decision.candidate import State
from metier.decision.work import Work
from metier.memory import format_bytes
from metier.pipeline.hints import members, parted
from metier.pipeline.lift import TaskStep
from metier.pipeline.step import Step
from metier.pipeline.structure import Role
from metier.pipeline.unchecked import unchecked
from metier.tasks import Tasks

UNKNOWN = "-"


class PlannedCall(Contract):
    """One request to a model: of which `step` of a pipeline, None outside of one.

    `count`: how many requests are made together. `times`: how many such calls a value leads to, on average. `p50`,
    `p95`: seconds of the call. `cost`: US dollars, for a local model those of its device's time. `memory`: the bytes
    that the model holds. None stands for what is not known. `figures`: whether they were "measured" here, or reckoned
    from the "card". `remote`: whether the requests leave this machine. `state`: what is left to do before the model
    runs, and `todo` the line to type for it.
    """

    step: str | None = None
    task: str
    model: str
    size: str = ""
    count: int = Field(default=1, ge=1)
    times: float = Field(default=1.0, gt=0)
    p50: float | None = Field(default=None, ge=0)
    p95: float | None = Field(default=None, ge=0)
    cost: float | None = Field(default=None, ge=0)
    memory: int | None = Field(default=None, ge=0)
    figures: Literal["measured", "card"]
    remote: bool = False
    state: State = "ready"
    todo: str = ""


class PlannedPath(Contract):
    """A way of a value through a pipeline: its calls in order, and their sums, as if each waited for the one before.

    `p95` is the sum of those of the calls, which the whole rarely reaches. `memory`: of all its models together.
    """

    calls: tuple[PlannedCall, ...] = ()

    @property
    def p50(self) -> float | None:
        """The seconds of a usual run."""
        return total(call.p50 for call in self.calls)

    @property
    def p95(self) -> float | None:
        """The seconds of a run in which each call is slow."""
        return total(call.p95 for call in self.calls)

    @property
    def cost(self) -> float | None:
        """US dollars."""
        return total(call.cost for call in self.calls)

    @property
    def memory(self) -> int | None:
        """The bytes of all models, each once."""
        held = {call.model: call.memory for call in self.calls}.values()
        known = total(held)
        return None if known is None else int(known)

    def __str__(self) -> str:
        """Return the steps and the sums in a line."""
        steps = " > ".join(call.step or call.model for call in self.calls) or "no model"
        return f"{steps}: {', '.join(_figures(self))}"


class Expected(Contract):
    """What a value takes by the sample: its seconds on average (`mean`), usually (`p50`) and of a slow run (`p95`).

    `values`: how many of the sample these figures come from. `cost`: US dollars, on average. `memory`: the bytes of all
    models that any value came to. None stands for what is not known.
    """

    values: int = Field(ge=1)
    mean: float | None = Field(default=None, ge=0)
    p50: float | None = Field(default=None, ge=0)
    p95: float | None = Field(default=None, ge=0)
    cost: float | None = Field(default=None, ge=0)
    memory: int | None = Field(default=None, ge=0)


class LikelyPath(Expected):
    """What the values take that went one way: by the same `steps`, each named once. `share`: theirs of the sample."""

    steps: tuple[str, ...]
    share: float = Field(gt=0, le=1)

    def __str__(self) -> str:
        """Return the share, the steps and the figures in a line."""
        return f"{self.share:.0%} {' > '.join(self.steps) or 'no step'}: {', '.join(_figures(self))}"


class Likely(Expected):
    """What to expect of a value like those of a sample, and by which paths, the most frequent first."""

    paths: tuple[LikelyPath, ...]

    def __str__(self) -> str:
        """Return the figures of all and of each path, a line each."""
        return "\n".join([f"likely: {', '.join(_figures(self))}", *(f"  {path}" for path in self.paths)])


class Plan(Contract):
    """What a request or a pipeline would use; nothing was loaded or sent for it.

    `calls`: every call that a value may lead to. `cheapest`, `dearest`: the ways through the pipeline between which a
    run lies; of a request they are the same. `likely`: what to expect of a value like those of a sample, where one was
    given; all else is of that sample too then, `calls` at their middle sizes. `unchecked`: edges on which a step takes
    what the one before does not declare. `notes`: what the figures leave out.
    """

    calls: tuple[PlannedCall, ...]
    cheapest: PlannedPath
    dearest: PlannedPath
    likely: Likely | None = None
    unchecked: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def of_call(cls, call: PlannedCall) -> Plan:
        """Return the plan of a single call."""
        path = PlannedPath(calls=(call,))
        return cls(calls=(call,), cheapest=path, dearest=path)

    def explain(self) -> str:
        """Return the plan as text for people."""
        rows: list[tuple[str, ...]] = [("step", "model", "size", "p50", "p95", "cost", "memory", "figures", "to do")]
        rows += [_row(call) for call in self.calls]
        if self.likely is not None:
            often = ["times", *(f"{call.times:.2g}" for call in self.calls)]
            rows = [(*row[:3], times, *row[3:]) for row, times in zip(rows, often, strict=True)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        ways = [f"cheapest: {self.cheapest}", f"dearest: {self.dearest}"]
        if self.cheapest == self.dearest:
            ways = [f"in all: {self.cheapest}"]
        likely = [] if self.likely is None else [str(self.likely)]
        return "\n".join([*lines, *likely, *ways, *self.notes, *self.unchecked])

    def __str__(self) -> str:
        """Return what `explain` does."""
        return self.explain()


def total(figures: Iterable[float | None]) -> float | None:
    """Return the sum, None where one is not known."""
    known = list(figures)
    return None if None in known else float(sum(figure for figure in known if figure is not None))


def _row(call: PlannedCall) -> tuple[str, ...]:
    size = call.size if call.count == 1 else f"{call.count} x {call.size}"
    return (call.step or UNKNOWN, call.model, size or UNKNOWN, *_figures(call), call.figures, call.todo)


def _figures(figures: PlannedCall | PlannedPath | Expected) -> tuple[str, ...]:
    times = (UNKNOWN if seconds is None else f"{1000 * seconds:.1f} ms" for seconds in (figures.p50, figures.p95))
    cost = UNKNOWN if figures.cost is None else f"${figures.cost:.2g}"
    return (*times, cost, UNKNOWN if figures.memory is None else format_bytes(figures.memory))


PlanCall = Callable[[Work, TaskStep[Any, Any]], PlannedCall]
_Calls = tuple[PlannedCall, ...]


def planned(pipeline: Step[Any, Any], call_of: PlanCall, tasks: Tasks) -> Plan:
    """Return the plan of a pipeline, by what each task of it would call."""
    planner = _Planner(call_of, tasks)
    cheapest, dearest = planner.bounds(pipeline)
    return Plan(
        calls=tuple(planner.calls),
        cheapest=PlannedPath(calls=cheapest),
        dearest=PlannedPath(calls=dearest),
        unchecked=unchecked_in(pipeline),
        notes=("bounds: the sizes are those by which models are measured", *dict.fromkeys(planner.notes)),
    )


def unchecked_in(pipeline: Step[Any, Any]) -> tuple[str, ...]:
    """Return a line for each edge on which a step takes what the one before does not declare."""
    return tuple(f"unchecked: {edge.giver} >> {edge.taker}: {edge.semantic}" for edge in unchecked(pipeline))


@dataclass(frozen=True)
class _Planner:
    call_of: PlanCall
    tasks: Tasks
    calls: list[PlannedCall] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def bounds(self, step: Step[Any, Any]) -> tuple[_Calls, _Calls]:
        """Return the calls of the cheapest and of the dearest way through a step."""
        if isinstance(step, TaskStep):
            return self._task(step)
        structure = step.structure()
        least: _Calls = ()
        most: _Calls = ()
        either: list[tuple[_Calls, _Calls]] = []
        fewest, often = structure.times or (1, 1)
        for number, part in enumerate(structure.parts()):
            low, high = self.bounds(part.step)
            if part.role in (Role.CASE, Role.DEFAULT):
                either.append((low, high))
                continue
            spared = part.role is Role.UNLESS or (part.role is Role.ELSE and number > 0)
            least += () if spared else low * fewest
            most += high * often
        if structure.times is None:
            self.notes.append(f"{step.name} is counted for one member")
        if either:
            least += min((low for low, _ in either), key=weight)
            most += max((high for _, high in either), key=weight)
        return least, most

    def _task(self, step: TaskStep[Any, Any]) -> tuple[_Calls, _Calls]:
        ways: list[_Calls] = []
        for request in members(parted(step.makes)[0]):
            try:
                ways.append((self.call_of(Work.of(parted(request)[0], self.tasks), step),))
            except InputError:
                self.notes.append(f"{step.name} is left out: what it asks for is known only when it runs")
                return (), ()
        self.calls.extend(call for way in ways for call in way if call not in self.calls)
        unknown = (call.model for way in ways for call in way if call.p50 is None)
        self.notes.extend(f"what {model} takes is not known: metier calibrate {model}" for model in unknown)
        return min(ways, key=weight), max(ways, key=weight)


def weight(calls: Sequence[PlannedCall]) -> tuple[float, float]:
    """Return what tells a cheap way from a dear one: its cost, then its seconds."""
    path = PlannedPath(calls=tuple(calls))
    cost, seconds = path.cost, path.p50
    return (float("inf") if cost is None else cost, float("inf") if seconds is None else seconds)
