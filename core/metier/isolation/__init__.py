"""Plugins in processes of their own: a crash, a hang or a leak there costs the request that met it, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metier.isolation.workers import Workers, protection

if TYPE_CHECKING:
    from metier.isolation.supervision import Worker

__all__ = ["Worker", "Workers", "protection"]


def __getattr__(name: str) -> Any:
    """Import `Worker` when it is first asked for: most programs isolate nothing."""
    if name == "Worker":
        from metier.isolation.supervision import Worker

        return Worker
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
