"""The kit under pytest: each check is one test.

In a test file, `test_conformance = plugin_checks("acme-shout")`; or on the command line, without any file,
`pytest --metier-plugin acme-shout`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from metier.testing.report import Report


class KitRun:
    """One run of the kit, at the first question, whose results several tests look at."""

    def __init__(self, name: str, **settings: Any) -> None:
        self._name = name
        self._settings = settings

    @cached_property
    def report(self) -> Report:
        """What the kit found."""
        from metier.testing.kit import check_plugin

        return check_plugin(self._name, **self._settings)

    def require(self, check: str) -> None:
        """Fail the test of a check that failed; skip that of one which is waived or has nothing to look at."""
        import pytest

        results = self.report.of(check)
        failed = [result for result in results if result.status == "failed"]
        if failed:
            pytest.fail("\n".join(map(str, failed)), pytrace=False)
        waived = [result for result in results if result.status == "waived"]
        if waived:
            pytest.skip(f"waived: {waived[0].reason}")
        if not any(result.status in ("passed", "warned") for result in results):
            pytest.skip(results[0].detail if results else "nothing was checked")


def plugin_checks(name: str, **settings: Any) -> Callable[[str], None]:
    """Return a test function with one parameter for each check of the kit.

    The kit runs once, with the first of these tests.

    Args:
        name: the plugin's name, or that of its distribution.
        settings: for `check_plugin`: cards, requests, strict, tolerance, timeout, isolated.
    """
    import pytest

    from metier.testing.catalogue import CHECKS

    run = KitRun(name, **settings)

    @pytest.mark.parametrize("check", [check.id for check in CHECKS])
    def test_conformance(check: str) -> None:
        run.require(check)

    return test_conformance


def check_ids() -> Sequence[str]:
    """Return the ids of all checks, in their order."""
    from metier.testing.catalogue import CHECKS

    return [check.id for check in CHECKS]
