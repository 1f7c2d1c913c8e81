"""What binds a candidate: each constraint that it breaks, and by how much."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from metier_contracts import Classify, Contract
from pydantic import BeforeValidator

from metier.decision.candidate import Candidate, FigureName
from metier.decision.requirements import Requirements


def _number_from_json(value: Any) -> Any:
    """Return the infinity that JSON holds as a string, since beside str a union would keep the string."""
    return math.inf if value == "Infinity" else value


Constraint = Literal[
    "needs",
    "settings",
    "plugin",
    "privacy",
    "licence",
    "device",
    "latency_ms",
    "cost_per_1k",
    "throughput",
    "memory",
    "quality",
]
Value = Annotated[int | float | str | tuple[str, ...], BeforeValidator(_number_from_json)]

_SAMPLED = frozenset({Classify.task})  # what `metier calibrate --sample` measures


class Bound(Contract):
    """A constraint that a candidate breaks.

    `wanted`: what was asked; `got`: what the candidate has, None where it is not known. `enough`: the value of this
    constraint that lets the candidate pass, None where no value does. `by`: the amount from `wanted` there, of a
    number: added to a ceiling or taken from a floor, it is just enough. `hint`: what to type or change.
    """

    constraint: Constraint
    wanted: Value
    got: Value | None = None
    enough: Value | None = None
    by: int | float | None = None
    hint: str = ""


def bounds(candidate: Candidate, requirements: Requirements, task: str) -> tuple[Bound, ...]:
    """Return every constraint that a candidate breaks; none where it is feasible. What is not known breaks."""
    found = [check(candidate, requirements) for check in _CHECKS]
    found += [_number(name, candidate, requirements, task) for name in _FIGURES]
    return tuple(bound for bound in found if bound is not None)


def _needs(candidate: Candidate, requirements: Requirements) -> Bound | None:
    return Bound(constraint="needs", wanted=candidate.lacks) if candidate.lacks else None


def _settings(candidate: Candidate, requirements: Requirements) -> Bound | None:
    if candidate.forbidden is None:
        return None
    setting, instead = _SETTINGS[candidate.forbidden]
    return Bound(constraint="settings", wanted=setting, got="remote", hint=instead)


def _policy(candidate: Candidate, requirements: Requirements) -> Bound | None:
    if candidate.licensed:
        return None
    hint = "licence_policy that names the licence or the model"
    return Bound(constraint="settings", wanted="licence_policy", got=candidate.licence, hint=hint)


_SETTINGS: Mapping[str, tuple[str, str]] = {
    "offline": ("offline = true", "offline = false"),
    "privacy": ('privacy = "local"', 'privacy = "any"'),
}
"""The settings that forbid remote models, and what allows them."""


def _plugin(candidate: Candidate, requirements: Requirements) -> Bound | None:
    if candidate.state != "broken":
        return None
    return Bound(constraint="plugin", wanted="one that works", got="broken", hint=candidate.step)


def _privacy(candidate: Candidate, requirements: Requirements) -> Bound | None:
    privacy = requirements.privacy
    allowed = privacy if isinstance(privacy, tuple) else ()
    if privacy is None or not candidate.remote or not set(candidate.remote).isdisjoint(allowed):
        return None
    return Bound(constraint="privacy", wanted=privacy, got=candidate.remote, enough=(*allowed, candidate.model))


def _licence(candidate: Candidate, requirements: Requirements) -> Bound | None:
    if requirements.licence is None or requirements.allows_licence(candidate.licence):
        return None
    enough = (*requirements.licence, candidate.licence)
    return Bound(constraint="licence", wanted=requirements.licence, got=candidate.licence, enough=enough)


def _device(candidate: Candidate, requirements: Requirements) -> Bound | None:
    wanted, has = requirements.device, candidate.devices
    if wanted is None or wanted in has:
        return None
    return Bound(constraint="device", wanted=wanted, got=has, enough=has[0] if has else None)


_CHECKS: tuple[Callable[[Candidate, Requirements], Bound | None], ...] = (
    _needs,
    _settings,
    _policy,
    _plugin,
    _privacy,
    _licence,
    _device,
)
_FIGURES: tuple[FigureName, ...] = ("latency_ms", "cost_per_1k", "throughput", "memory", "quality")
FLOORS = frozenset({"throughput", "quality"})
"""The constraints on numbers that are floors; the others are ceilings."""


def _number(name: FigureName, candidate: Candidate, requirements: Requirements, task: str) -> Bound | None:
    limit = getattr(requirements, name)
    value: Any = getattr(candidate, name)
    floor = name in FLOORS
    if limit is None:
        return None
    if value is None:
        return Bound(constraint=name, wanted=limit, hint=_unknown(name, candidate, task))
    if value >= limit if floor else value <= limit:
        return None
    if math.isinf(value):
        return Bound(constraint=name, wanted=limit, got=value)
    return Bound(constraint=name, wanted=limit, got=value, enough=value, by=_amount(limit, value))


def _amount(limit: float, value: float) -> float:
    """Return what takes the limit to the value: the difference, and where rounding leaves that short, the next up."""
    amount = abs(value - limit)
    if isinstance(amount, int):
        return amount
    while limit + amount < value if value > limit else limit - amount > value:
        amount = math.nextafter(amount, math.inf)
    return amount


def _unknown(name: FigureName, candidate: Candidate, task: str) -> str:
    if name == "cost_per_1k" and candidate.latency_ms is not None:
        return "state its price on its card" if candidate.remote else "state what the device costs: prices, metier.toml"
    if name == "quality":
        line = f"metier calibrate {candidate.model} --sample FILE.csv"
        return line if task in _SAMPLED else "state a figure of quality on its card"
    return f"metier calibrate {candidate.model}"
