import json
from pathlib import Path

import pytest
from metier.cli import app
from typer.testing import CliRunner

from tests.core.testing.faulty import FAULTS, MODEL, PACKAGE, SOUND, write


def test_a_sound_plugin_conforms_and_its_report_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "site", SOUND)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    report, table = tmp_path / "report.json", tmp_path / "report.md"
    done = CliRunner().invoke(app, ["plugin", "check", PACKAGE, "--json", str(report), "--markdown", str(table)])
    assert done.exit_code == 0, done.output
    assert "metier-specimen 1.2.3 conforms to the contract" in done.output
    assert json.loads(report.read_text())["ok"]
    assert "| batch-invariance | passed |" in table.read_text()


def test_a_faulty_plugin_fails_with_what_mends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [fault] = [fault for fault in FAULTS if fault.name == "contract-of-the-future"]
    write(tmp_path / "site", fault)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    done = CliRunner().invoke(app, ["plugin", "check", PACKAGE])
    assert done.exit_code == 1
    assert "discovery failed" in done.output
    assert "mend:" in done.output
    assert done.output.count("wrong contract version") == 1


def test_a_report_that_cannot_be_written_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "site", FAULTS[0])
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    done = CliRunner().invoke(app, ["plugin", "check", PACKAGE, "--json", str(tmp_path / "absent" / "report.json")])
    assert done.exit_code == 1
    assert "cannot be written" in done.output


def test_an_unknown_plugin_is_an_error() -> None:
    done = CliRunner().invoke(app, ["plugin", "check", "no-such-plugin"])
    assert done.exit_code == 1
    assert MODEL not in done.output
    assert "no-such-plugin" in done.output
