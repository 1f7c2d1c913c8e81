"""metier: send each piece of work to the model whose trade it is.

Importing this package loads nothing: each name below is fetched from its module at first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metier.pipeline import Step, cascade, each, fallback, parallel, private, retry, route, step, task
    from metier.runtime import Runtime

__version__ = "0.1.0"

__all__ = ["Runtime", "Step", "cascade", "each", "fallback", "parallel", "private", "retry", "route", "step", "task"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'metier' has no attribute {name!r}")
    from importlib import import_module

    module = import_module("metier.runtime" if name == "Runtime" else "metier.pipeline")
    return globals().setdefault(name, getattr(module, name))


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
