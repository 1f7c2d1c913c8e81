"""metier: send each piece of work to the model whose trade it is.

Importing this package loads nothing: each name below is fetched from its module at first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metier._version import __version__ as __version__

if TYPE_CHECKING:
    from metier.accounting import Meter
    from metier.decision.decision import Decision
    from metier.decision.plan import Plan
    from metier.decision.requirements import Requirements
    from metier.pipeline import (
        Step,
        cache,
        cascade,
        each,
        fallback,
        load_pipeline,
        parallel,
        private,
        retry,
        route,
        save_pipeline,
        step,
        task,
    )
    from metier.runtime import Runtime
    from metier.usage import Usage

__all__ = [
    "Decision",
    "Meter",
    "Plan",
    "Requirements",
    "Runtime",
    "Step",
    "Usage",
    "cache",
    "cascade",
    "each",
    "fallback",
    "load_pipeline",
    "parallel",
    "private",
    "retry",
    "route",
    "save_pipeline",
    "step",
    "task",
]

_HOMES = {
    "Decision": "metier.decision.decision",
    "Meter": "metier.accounting",
    "Plan": "metier.decision.plan",
    "Requirements": "metier.decision.requirements",
    "Runtime": "metier.runtime",
    "Usage": "metier.usage",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'metier' has no attribute {name!r}")
    from importlib import import_module

    module = import_module(_HOMES.get(name, "metier.pipeline"))
    return globals().setdefault(name, getattr(module, name))


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
