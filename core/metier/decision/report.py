"""A decision for people: tables of what was chosen, what fits, and what binds each of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from typing import Any

from metier.decision.candidate import Candidate
from metier.decision.constraints import FLOORS, Bound
from metier.decision.decision import Decision, Rejection, Relaxation
from metier.decision.requirements import Requirements
from metier.memory import format_bytes

UNKNOWN = "-"
_UNITS = {
    "latency_ms": "{} ms",
    "cost_per_1k": "${}",
    "throughput": "{} a second",
    "quality": "{}",
}
_RANKED = ("model", "kind", "p95 ms", "$/1,000", "items/s", "memory", "quality", "figures", "to do")
_REJECTED = ("model", "kind", "what binds it")
_RELAXED = ("constraint", "least change", "which lets pass")


@dataclass(frozen=True)
class Section:
    """A table under a title."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def headline(decision: Decision) -> str:
    """Return the answer in one line."""
    work = f", for {decision.work}" if decision.work else ""
    chosen = decision.chosen
    if chosen is None:
        none = "no model meets the requirements" if decision.rejected else "no card serves it"
        return f"{decision.task}{work}: {none}"
    todo = f" ({chosen.step})" if chosen.step else ""
    return f"{decision.task}{work}: {chosen.model}{todo}"


def sections(decision: Decision) -> list[Section]:
    """Return what fits, what does not, and where nothing fits what would change that; no empty table."""
    quality = f", quality: {decision.yardstick}" if decision.yardstick else ""
    found = (
        Section(f"fits, cheapest first{quality}", _RANKED, [_ranked(each) for each in decision.ranked]),
        Section(
            f"does not fit{'' if decision.ranked else quality}", _REJECTED, list(map(_rejected, decision.rejected))
        ),
        Section("the least change of one constraint alone", _RELAXED, list(map(_relaxed, decision.relaxations))),
    )
    return [section for section in found if section.rows]


def explained(decision: Decision) -> str:
    """Return a decision as one text of aligned columns."""
    parts = [headline(decision)]
    for section in sections(decision):
        rows = [section.columns, *section.rows]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        parts.append("\n  ".join([f"{section.title}:", *lines]))
    return "\n\n".join(parts)


def said(bound: Bound) -> str:
    """Return what one constraint wants, what came, and by how much that differs."""
    name, hint = bound.constraint, f": {bound.hint}" if bound.hint else ""
    if name == "needs":
        return _joined(bound.wanted)
    if name in ("settings", "plugin"):
        return f"{name}: {_joined(bound.wanted)}, got {_joined(bound.got)}{hint}"
    if bound.got is None:
        return f"{name} is not known{hint}"
    by = "" if bound.by is None else f", off by {_value(name, bound.by)}"
    return f"{name}: asked {_value(name, bound.wanted)}, got {_value(name, bound.got)}{by}"


def required(requirements: Requirements) -> str:
    """Return what is asked, as it is written."""
    asked = {name: getattr(requirements, name) for name in type(requirements).model_fields}
    return ", ".join(f"{name}={value!r}" for name, value in asked.items() if value not in (None, {})) or "nothing"


def least_change(decision: Decision) -> str:
    """Return the changes that would each let a model pass, or the command that shows what binds each."""
    helping = [each for each in decision.relaxations if each.model is not None]
    changes = [f"{each.constraint}: {_relaxed(each)[1]} lets {each.model} pass" for each in helping]
    return "; or ".join(changes) or f"`metier decide {decision.task}` shows what binds each model"


def _ranked(candidate: Candidate) -> list[str]:
    figures = [candidate.latency_ms, candidate.cost_per_1k, candidate.throughput]
    return [
        candidate.model,
        candidate.architecture,
        *map(figure, figures),
        UNKNOWN if candidate.memory is None else format_bytes(candidate.memory),
        figure(candidate.quality),
        _sources(candidate),
        candidate.step or UNKNOWN,
    ]


def _sources(candidate: Candidate) -> str:
    return ", ".join(dict.fromkeys(candidate.sources.values())) or UNKNOWN


def _rejected(rejection: Rejection) -> list[str]:
    candidate = rejection.candidate
    return [candidate.model, candidate.architecture, "; ".join(map(said, rejection.bounds))]


def _relaxed(relaxation: Relaxation) -> list[str]:
    name = relaxation.constraint
    if relaxation.model is None:
        return [name, "none is enough", UNKNOWN]
    value = relaxation.value
    typed = enough(value, name in FLOORS) if isinstance(value, int | float) else _joined(value)
    by = "" if relaxation.by is None else f" (by {_value(name, relaxation.by)})"
    return [name, f"{typed}{by}", relaxation.model]


def _value(name: str, value: Any) -> str:
    if name == "memory":
        return format_bytes(value)
    if isinstance(value, int | float):
        return _UNITS[name].format(figure(value))
    return _joined(value)


def _joined(value: Any) -> str:
    return value if isinstance(value, str) else ", ".join(value) or "none"


def enough(value: float, floor: bool) -> str:
    """Return a limit as one types it: four significant digits, rounded so that it lets through what `value` does."""
    if isinstance(value, int):
        return str(value)
    rounding = ROUND_FLOOR if floor else ROUND_CEILING
    return format(Context(prec=4, rounding=rounding).create_decimal_from_float(value).normalize(), "f")


def figure(value: float | None, factor: float = 1) -> str:
    """Return three significant digits, without an exponent where people read the number better so."""
    if value is None:
        return UNKNOWN
    scaled = value * factor
    return f"{scaled:,.0f}" if scaled >= 100 else f"{scaled:.3g}"
