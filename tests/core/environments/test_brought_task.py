"""A task whose plugin is in an environment of its own: its requests are made here, its model answers there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from metier import Runtime
from metier.cli import app
from metier.doctor.plugins import examine
from metier.plugins import discover
from typer.testing import CliRunner

from tests.core.brought_task import PLUGIN, TASK, contribution, spelling_card, write_speller
from tests.support.wheels import build_plugin_wheel

pytestmark = pytest.mark.skipif(os.name != "posix", reason="workers need descriptors to be handed over")
BARE = "pip install --no-deps speller==1.0"


@pytest.fixture
def told(plugins: Any, quick_pip: None) -> str:
    """What a user is told who installs "speller" in an environment of its own."""
    manifest = {"contract": "1.0", "name": "speller", "models": [spelling_card()], "tasks": [contribution()]}
    build_plugin_wheel(Path.cwd(), "speller", tomli_w.dumps(manifest), PLUGIN, modules={"task.py": TASK})
    return CliRunner().invoke(app, ["plugin", "install", "speller==1.0", "--isolated"]).stdout


def test_the_install_the_doctor_and_a_request_say_what_to_type(told: str) -> None:
    assert f"to make requests of spell, which it brings, install it here too: {BARE}\n" in told
    assert 'isolation = { speller = "venv" }' in told
    (record,) = examine()
    assert (record.state, record.fix) == ("available", BARE)
    refused = CliRunner().invoke(app, ["run", "spell", "--text", "ab"])
    assert refused.exit_code == 1
    assert f"next: {BARE}" in refused.stderr


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    ("requires", "isolation"),
    [(["no_such_module"], {}), ([], {"speller": "venv"})],
    ids=["bare", "complete_and_set_aside"],
)
def test_installed_here_as_well_its_model_still_runs_there(
    requires: list[str], isolation: dict[str, str], plugins: Any
) -> None:
    write_speller(plugins, package="speller", requires=requires)
    assert [record.state for record in discover(isolation)] == ["ready"]
    from metier_speller.task import Spell

    with Runtime(config={"isolation": isolation}) as runtime:
        assert [one.letter for one in runtime.run(Spell(text="ab")).letters] == ["a", "b"]
        assert list(runtime._workers._workers) == ["speller"]
    assert "metier_speller.plugin" not in plugins.imported()
