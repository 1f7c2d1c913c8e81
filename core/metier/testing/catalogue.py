"""Every check of the kit, in the order in which they run."""

from __future__ import annotations

from metier.testing.behaviour import BEHAVIOUR
from metier.testing.check import Check
from metier.testing.functional import FUNCTIONAL
from metier.testing.resources import RESOURCES
from metier.testing.trust import TRUST

_ORDER = (
    *("discovery", "import", "import-budget"),
    *("load", "contract", "invariants", "json", "empty-batch", "determinism", "order", "bad-input", "errors"),
    *("batch-invariance", "thread-safety", "offline", "pickle", "licence"),
    *("reload", "devices", "memory", "bytes", "overhead", "cancel"),
)
_BY_ID = {check.id: check for check in (*FUNCTIONAL, *BEHAVIOUR, *RESOURCES, *TRUST)}

CHECKS: tuple[Check, ...] = tuple(_BY_ID[name] for name in _ORDER)
"""A check stands after those that it needs, and one that a model may not come back from stands last."""
