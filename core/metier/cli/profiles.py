"""How profiles are printed: a row of figures for a request of middle size, and JSON with every measurement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metier.memory import format_bytes

if TYPE_CHECKING:
    from metier.decision.profile import MeasuredQuality, Profile

COLUMNS = (
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

QUALITY_COLUMNS = ("model", "task", "accuracy", "95 % interval", "macro-F1", "items", "failures")


def row(profile: Profile) -> list[object]:
    """Return a profile's cells; a dash stands for what is not known."""
    size = profile.typical
    return [
        profile.model,
        profile.task,
        "measured" if profile.source == "measured" else "card",
        "-"
        if size is None
        else f"{size.amount:,} {size.unit}" + (f" + {size.output_tokens}" * (size.output_tokens > 0)),
        _figure(profile.load_seconds),
        _figure(profile.latency(quantile=0.5), 1000),
        _figure(profile.latency(), 1000),
        _figure(profile.throughput()),
        "-" if profile.memory is None else format_bytes(profile.memory),
        _figure(profile.tokens_per_second),
        _figure(profile.cost_per_1k()),
        _figure(profile.joules),
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


def quality_row(quality: MeasuredQuality) -> list[object]:
    """Return the cells of how well a model did on a sample."""
    return [
        quality.model,
        quality.task,
        f"{quality.value:.3f}",
        f"{quality.low:.3f} to {quality.high:.3f}",
        "-" if quality.macro_f1 is None else f"{quality.macro_f1:.3f}",
        quality.count,
        quality.failures,
    ]


def _figure(value: float | None, factor: float = 1) -> str:
    """Return three significant digits, without an exponent where people read the number better so."""
    if value is None:
        return "-"
    scaled = value * factor
    return f"{scaled:,.0f}" if scaled >= 100 else f"{scaled:.3g}"
