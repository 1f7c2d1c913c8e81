"""Tables of tasks, errors, settings and prices, and the rule of estimates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from api import prose
from metier.config import Config
from metier.decision import estimate
from metier.decision.prices import DEFAULT_PRICES
from metier.testing import CHECKS
from metier_contracts import TASKS, Capabilities, ModelCard, Task, errors

_REFERENCE = "reference/metier_contracts.md"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(str(cell).replace('|', '&#124;') for cell in line)} |" for line in lines)


def task_table() -> str:
    """Return a row for each task: its request and response with their fields, and its invariants."""
    return table(("task", "request", "response", "always holds"), map(_task_row, TASKS.values()))


def _task_row(task: Task) -> Sequence[str]:
    invariants = [(invariant.__doc__ or "").splitlines()[0] for invariant in task.invariants]
    return f"`{task.name}`", _record(task.request), _record(task.response), "<br>".join(invariants)


def _record(kind: type[Any]) -> str:
    fields = ", ".join(f"`{name}`" for name in kind.model_fields if name != "provenance")
    return f"[{kind.__name__}]({_REFERENCE}#{kind.__name__.lower()})<br>{fields}"


def checks() -> str:
    """Return a row for each check of the conformance kit."""
    rows = [(f"`{check.id}`", check.kind, check.wants, check.mend) for check in CHECKS]
    return table(("check", "kind", "wants", "how to mend it"), rows)


def error_tree() -> str:
    """Return the tree that the docstring of the errors draws."""
    tree = [line[4:] for line in (errors.__doc__ or "").splitlines() if line.startswith("    ")]
    return "\n".join(["```text", *tree, "```"])


def settings() -> str:
    """Return what each setting means and its default."""
    defaults = [(f"`{name}`", f"`{field.get_default()!r}`") for name, field in Config.model_fields.items()]
    return "\n\n".join([prose(Config), table(("setting", "default"), defaults)])


def card_fields() -> str:
    """Return what stands on a card, and in its table for a task."""
    return "\n\n".join(prose(kind) for kind in (ModelCard, Capabilities))


def prices() -> str:
    """Return the table of list prices."""
    rows = [(f"`{name}`", price.dollars, price.source, price.date) for name, price in DEFAULT_PRICES.items()]
    return table(("device", "dollars an hour", "source", "date"), rows)


def estimate_rule() -> str:
    """Return how a profile is reckoned from a card, as the module says it."""
    return (estimate.__doc__ or "").partition("\n")[2].strip()
