"""What pytest loads where metier is installed: the option `--metier-plugin`. The kit waits until it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from metier.testing.pytest_checks import KitRun

_OPTION = "--metier-plugin"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    group = parser.getgroup("metier")
    group.addoption(
        _OPTION,
        action="append",
        default=[],
        metavar="NAME",
        help="Check this plugin or distribution against metier's contract, one test a check. Can be repeated.",
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add a test for each check of each plugin named."""
    for name in config.getoption(_OPTION):
        items += _Plugin.from_parent(session, name=name, nodeid=f"metier/{name}").collect()


class _Plugin(pytest.Collector):
    """The checks of one plugin, which look at one run of the kit."""

    def collect(self) -> list[pytest.Item]:
        from metier.testing.pytest_checks import KitRun, check_ids

        run = KitRun(self.name)
        return [_Check.from_parent(self, name=check, run=run) for check in check_ids()]


class _Check(pytest.Item):
    """One check."""

    def __init__(self, *, run: KitRun, **settings: Any) -> None:
        super().__init__(**settings)
        self._run = run

    def runtest(self) -> None:
        self._run.require(self.name)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        return self.path, None, f"{self.nodeid}"
