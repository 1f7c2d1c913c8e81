"""The kit that plugin authors use, on built-in models that need no weights."""

import pytest
from metier.testing import CHECKS, check_plugin


@pytest.mark.parametrize(("plugin", "model"), [("gnn", "gnn/adamic-adar"), ("timeseries", "seasonal-naive")])
def test_a_built_in_conforms(plugin: str, model: str) -> None:
    report = check_plugin(plugin, cards=[model], strict=True)
    report.raise_for_failures()
    skipped = {result.check for result in report.results if result.status == "skipped"}
    assert {result.check for result in report.results} == {check.id for check in CHECKS}
    assert skipped == {"thread-safety"}
