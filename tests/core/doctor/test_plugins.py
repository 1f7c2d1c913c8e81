"""`metier.doctor.plugins`: every way to be broken is named, with what mends it, and no plugin is imported here."""

from __future__ import annotations

from typing import Any

import pytest
from metier.doctor.plugins import examine

HEALTHY = """
from metier_contracts import hookimpl


@hookimpl
def metier_load(card, placement):
    raise NotImplementedError
"""
BROKEN = {
    "raises": ("raise RuntimeError('no luck')", "RuntimeError: no luck", "pip install --upgrade metier-raises"),
    "syntax": ("def (:\n", "SyntaxError", "pip install --upgrade metier-syntax"),
    "exits": ("import sys; sys.exit(3)", "SystemExit: 3", "pip install --upgrade metier-exits"),
    "dies": ("import os; os._exit(7)", "status 7", "pip install --upgrade metier-dies"),
    "hookless": ("x = 1", "implements no metier_load", "pip install --upgrade metier-hookless"),
    "lacks": ("import no_such_module.inner", "missing dependency: no_such_module", "pip install no_such_module"),
    "mute": (
        "import sys; sys.stdout.close(); sys.stderr.close(); raise ValueError('x')",
        "ValueError: x",
        "pip install",
    ),
    "loud": ("print('x' * 10_000_000); raise ValueError('y')", "ValueError: y", "pip install"),
}


def test_a_healthy_plugin_is_ready(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme-keywords"), code=HEALTHY)
    (record,) = examine()
    assert (record.state, record.cause) == ("ready", "")


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_named_and_the_others_are_not_touched(plugins: Any, name: str) -> None:
    code, cause, fix = BROKEN[name]
    plugins.write(name, plugins.card(f"{name}-model"), code=code)
    plugins.write("acme", plugins.card("acme-keywords"), code=HEALTHY)
    states = {record.name: record for record in examine()}
    broken = states[name]
    assert broken.state == "quarantined"
    assert cause in broken.cause
    assert fix in broken.fix
    assert (broken.package, broken.version) == (f"metier-{name}", "1.2.3")
    assert states["acme"].state == "ready"


def test_a_plugin_that_hangs_is_given_up(plugins: Any) -> None:
    plugins.write("hangs", plugins.card("hangs-model"), code="import threading; threading.Event().wait()")
    (record,) = examine(timeout=2.0)
    assert record.state == "quarantined"
    assert "took more than 2 s" in record.cause


def test_no_plugin_is_imported_in_this_process(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme-keywords"), code=HEALTHY)
    examine()
    assert plugins.imported() == []


def test_a_plugin_without_its_extra_is_not_tried(plugins: Any) -> None:
    plugins.write(
        "acme", plugins.card("acme-keywords"), code="raise RuntimeError", requires=["no_such_module"], extra="x"
    )
    (record,) = examine()
    assert record.state == "available"
    assert record.fix == 'pip install "metier-acme[x]"'
