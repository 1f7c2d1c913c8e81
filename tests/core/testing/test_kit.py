"""A sound plugin passes every check, and each faulty one fails the check that is meant for its fault, and no other."""

from pathlib import Path

import pytest
from metier.testing import CHECKS, Report, check_plugin
from metier_contracts import PluginError, PluginUnavailableError

from tests.core.testing.faulty import FAULTS, MODEL, PACKAGE, PLUGIN, SOUND, Fault, write

HANGS = 8.0
"""Seconds after which a check has failed: several times what each takes on a busy machine."""


def checked(site: Path, fault: Fault, monkeypatch: pytest.MonkeyPatch, **settings: object) -> Report:
    write(site, fault)
    monkeypatch.syspath_prepend(str(site))
    return check_plugin(PACKAGE, strict=True, timeout=HANGS, **settings)  # type: ignore[arg-type]


def test_a_sound_plugin_passes_every_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = checked(tmp_path, SOUND, monkeypatch)
    assert {result.check: result.status for result in report.results} == {check.id: "passed" for check in CHECKS}
    assert report.ok


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_fails_its_check_alone(fault: Fault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = checked(tmp_path, fault, monkeypatch)
    assert {result.check for result in report.failures} == {fault.check}
    assert not report.ok


def test_each_check_has_a_fault() -> None:
    assert {fault.check for fault in FAULTS} == {check.id for check in CHECKS}
