"""metier: send each piece of work to the model whose trade it is.

Importing this package loads nothing: each name below is fetched from its module at first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metier._version import __version__ as __version__

if TYPE_CHECKING:
    from metier.pipeline import Step, each, fallback, parallel, route, step, task
    from metier.runtime import Runtime

__all__ = ["Runtime", "Step", "each", "fallback", "parallel", "route", "step", "task"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'metier' has no attribute {name!r}")
    from importlib import import_module

    module = import_module("metier.runtime" if name == "Runtime" else "metier.pipeline")
    return globals().setdefault(name, getattr(module, name))


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
