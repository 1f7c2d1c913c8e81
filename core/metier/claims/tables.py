"""The ledger as text: what the command prints and the page of the documentation shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

COLUMNS = ("", "role", "given", "quality", "95 %", "failed", "ms an item", "asked", "$ for 1,000", "fit s")


def cells(claim: Mapping[str, Any]) -> list[list[str]]:
    """Return a line for each way."""
    return [
        [
            row["name"],
            row["role"],
            row["given"],
            f"{row['quality']:.3f}",
            _range(row["interval"]),
            str(row["failed"] or ""),
            "" if row["seconds"] is None else f"{1000 * row['seconds']:.3g}",
            row["asked"] or "",
            "" if row["dollars"] is None else f"{row['dollars']:.2g}",
            "" if row["fit_seconds"] is None else f"{row['fit_seconds']:.1f}",
        ]
        for row in claim["rows"]
    ]


def notes(claim: Mapping[str, Any]) -> list[str]:
    """Return what the comparisons say, and what remote models would cost."""
    direction = "higher" if claim["higher_is_better"] else "lower"
    lines = [f"Quality is {claim['metric']}, the {direction} the better."]
    lines += [_trial(one, claim["metric"]) for one in claim["trials"]]
    lines += [_comparison(one, claim["metric"]) for one in claim["comparisons"]]
    if claim["tokens"] and claim["remote"]:
        read, written = claim["tokens"]
        prices = "; ".join(
            f"{one['model']} ${one['dollars']:.2g} (price of {one['price_date']})" for one in claim["remote"]
        )
        lines.append(
            f"Computed, not called, quality unknown: about {read:.0f} tokens read and {written:.0f} written an item "
            f"would cost, for 1,000 items, {prices}."
        )
    return lines


def _trial(one: Mapping[str, Any], metric: str) -> str:
    return f"Trial on {one['items']} other items: {one['name']} (given {one['given']}), {metric} {one['quality']:.3f}."


def _comparison(one: Mapping[str, Any], metric: str) -> str:
    cheaper = (
        "" if one["cheaper"] is None else f"cheaper by {one['cheaper']:.3g} ({_range(one['cheaper_range'], '.3g')}), "
    )
    return (
        f"{one['specialist']} beside {one['language_model']}: {one['verdict']}; {cheaper}"
        f"quicker by {one['quicker']:.3g} ({_range(one['quicker_range'], '.3g')}), gain in {metric} {one['gain']:+.3f} "
        f"({_range(one['gain_interval'], '+.3f')})."
    )


def _range(interval: Mapping[str, float], form: str = ".3f") -> str:
    return f"{interval['low']:{form}} to {interval['high']:{form}}"


def summary(claims: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Return a line for each comparison: the work, the two ways, the ratio, the gain, and whether the claim holds."""
    return [
        [
            claim["title"],
            one["specialist"],
            "" if one["cheaper"] is None else f"{one['cheaper']:.3g} ({_range(one['cheaper_range'], '.3g')})",
            f"{one['gain']:+.3f} ({_range(one['gain_interval'], '+.3f')}) {claim['metric']}",
            one["quality"],
            "yes" if one["holds"] else "no",
        ]
        for claim in claims
        for one in claim["comparisons"]
    ]


SUMMARY_COLUMNS = ("work", "specialist", "times cheaper", "gain in quality", "quality", "10 times cheaper, no worse")
