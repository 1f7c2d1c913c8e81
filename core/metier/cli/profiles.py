"""How profiles are printed: a row of figures for a request of middle size, and JSON with every measurement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from metier.cli.output import print_table
from metier.decision.report import UNKNOWN, figure
from metier.memory import format_bytes

if TYPE_CHECKING:
    from metier.decision.profile import MeasuredQuality, Profile

_COLUMNS = (
    "model",
    "task",
    "from",
    "size",
    "load s",
    "p50 ms",
    "p95 ms",
    "items/s",
    "memory",
    "tokens/s",
    "$/1,000",
    "J/item",
)

_QUALITY = ("model", "task", "accuracy", "95 % interval", "macro-F1", "items", "failures")


def print_profiles(found: Sequence[Profile]) -> None:
    """Print a row for each profile, without the columns of which nothing is known."""
    rows = [_row(profile) for profile in found]
    known = [column for column in range(len(_COLUMNS)) if any(row[column] != UNKNOWN for row in rows)]
    print_table([_COLUMNS[column] for column in known], [[row[column] for column in known] for row in rows])


def _row(profile: Profile) -> list[object]:
    size = profile.typical
    return [
        profile.model,
        profile.task,
        "measured" if profile.source == "measured" else "card",
        UNKNOWN
        if size is None
        else f"{size.amount:,} {size.unit}" + (f" + {size.output_tokens}" * (size.output_tokens > 0)),
        figure(profile.load_seconds),
        figure(profile.latency(quantile=0.5), 1000),
        figure(profile.latency(), 1000),
        figure(profile.throughput()),
        UNKNOWN if profile.memory is None else format_bytes(profile.memory),
        figure(profile.tokens_per_second),
        figure(profile.cost_per_1k()),
        figure(profile.joules),
    ]


def as_json(profile: Profile) -> dict[str, Any]:
    """Return a profile with what the table shows beside its measurements."""
    size = profile.typical
    return {
        **profile.model_dump(mode="json"),
        "typical": None if size is None else {"size": size.amount, "output_tokens": size.output_tokens},
        "p50": profile.latency(quantile=0.5),
        "p95": profile.latency(),
        "items_per_second": profile.throughput(),
        "cost_per_1k": profile.cost_per_1k(),
    }


def print_qualities(found: Sequence[MeasuredQuality]) -> None:
    """Print how well models did on a sample."""
    print_table(_QUALITY, [_quality_row(quality) for quality in found])


def _quality_row(quality: MeasuredQuality) -> list[object]:
    return [
        quality.model,
        quality.task,
        f"{quality.value:.3f}",
        f"{quality.low:.3f} to {quality.high:.3f}",
        UNKNOWN if quality.macro_f1 is None else f"{quality.macro_f1:.3f}",
        quality.count,
        quality.failures,
    ]
