"""The conformance kit: `check_plugin`, and `plugin_checks`, by which pytest runs it as one test a check.

Importing this package loads nothing, since pytest imports it wherever metier is installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metier.testing.catalogue import CHECKS
    from metier.testing.check import Check
    from metier.testing.kit import check_plugin
    from metier.testing.pytest_checks import plugin_checks
    from metier.testing.report import Report, Result

__all__ = ["CHECKS", "Check", "Report", "Result", "check_plugin", "plugin_checks"]

_HOMES = {
    "CHECKS": "catalogue",
    "Check": "check",
    "Report": "report",
    "Result": "report",
    "check_plugin": "kit",
    "plugin_checks": "pytest_checks",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'metier.testing' has no attribute {name!r}")
    from importlib import import_module

    return globals().setdefault(name, getattr(import_module(f"metier.testing.{_HOMES[name]}"), name))


def __dir__() -> list[str]:
    return list(__all__)
