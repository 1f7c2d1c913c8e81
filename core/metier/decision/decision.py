"""`Decision`, and `decide`, the pure function that makes it of a table of candidates."""

from __future__ import annotations

from collections.abc import Sequence

from metier_contracts import Contract

from metier.decision.candidate import Candidate
from metier.decision.constraints import Bound, Constraint, Value, bounds
from metier.decision.requirements import Requirements


class Rejection(Contract):
    """A candidate, and every constraint that it breaks."""

    candidate: Candidate
    bounds: tuple[Bound, ...]


class Relaxation(Contract):
    """The least change of one constraint that lets a candidate pass; `model` is None where no value of it does.

    `value`: what the constraint would have to be; `by`: the amount of the change, of a number.
    """

    constraint: Constraint
    value: Value | None = None
    by: int | float | None = None
    model: str | None = None


class Decision(Contract):
    """Which model does a piece of work, and why the others do not.

    `chosen`: the first of `ranked`, None where nothing fits. `ranked`: what fits, in the order of `rank`. `rejected`:
    the others, in the same order, each with what binds it. `relaxations`: where nothing fits, the least change of each
    constraint alone that would let one pass. `work`: the size of request that the figures are for. `yardstick`: what
    quality was measured by, "" where no candidate has any.
    """

    task: str
    requirements: Requirements
    work: str = ""
    yardstick: str = ""
    chosen: Candidate | None
    ranked: tuple[Candidate, ...]
    rejected: tuple[Rejection, ...]
    relaxations: tuple[Relaxation, ...] = ()

    def explain(self) -> str:
        """Return the answer as a text: the choice, the ranking, and what binds each of the others."""
        from metier.decision.report import explained

        return explained(self)


def decide(
    candidates: Sequence[Candidate],
    requirements: Requirements,
    task: str,
    *,
    work: str = "",
    yardstick: str = "",
) -> Decision:
    """Return which of the candidates meet the requirements, cheapest first, and what binds each of the others."""
    judged = [(candidate, bounds(candidate, requirements, task)) for candidate in sorted(candidates, key=rank)]
    ranked = tuple(candidate for candidate, broken in judged if not broken)
    rejected = tuple(Rejection(candidate=candidate, bounds=broken) for candidate, broken in judged if broken)
    return Decision(
        task=task,
        requirements=requirements,
        work=work,
        yardstick=yardstick,
        chosen=ranked[0] if ranked else None,
        ranked=ranked,
        rejected=rejected,
        relaxations=() if ranked else _relaxations(rejected),
    )


def rank(candidate: Candidate) -> tuple[tuple[bool, float], tuple[bool, float], tuple[bool, float], str]:
    """Order by cost, the higher quality, latency and id; what is not known comes after all that is."""
    quality = None if candidate.quality is None else -candidate.quality
    return _known(candidate.cost_per_1k), _known(quality), _known(candidate.latency_ms), candidate.model


def _known(figure: float | None) -> tuple[bool, float]:
    return figure is None, 0.0 if figure is None else figure


def _relaxations(rejected: Sequence[Rejection]) -> tuple[Relaxation, ...]:
    """Return one for each constraint that binds, the least first by amount, then by rank."""
    binding = dict.fromkeys(bound.constraint for rejection in rejected for bound in rejection.bounds)
    return tuple(_relaxation(constraint, rejected) for constraint in binding)


def _relaxation(constraint: Constraint, rejected: Sequence[Rejection]) -> Relaxation:
    alone = [(each.bounds[0], each.candidate.model) for each in rejected if len(each.bounds) == 1]
    passing = [(bound, model) for bound, model in alone if bound.constraint == constraint and bound.enough is not None]
    if not passing:
        return Relaxation(constraint=constraint)
    bound, model = min(
        passing, key=lambda each: each[0].by or 0
    )  # the first of equals: they stand in the order of rank
    return Relaxation(constraint=constraint, value=bound.enough, by=bound.by, model=model)
