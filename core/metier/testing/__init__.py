"""The conformance kit: `check_plugin`, and `plugin_checks`, by which pytest runs it as one test a check."""

from metier.testing.catalogue import CHECKS
from metier.testing.check import Check
from metier.testing.kit import check_plugin
from metier.testing.pytest_checks import plugin_checks
from metier.testing.report import Report, Result

__all__ = ["CHECKS", "Check", "Report", "Result", "check_plugin", "plugin_checks"]
