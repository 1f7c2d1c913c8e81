"""The example that takes invoices apart, run as a user runs it."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "invoices"
MODULES = ("invoices", "drawing")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Runs the example where the plugin is installed for it alone, and returns what it prints as JSON."""
    site = tmp_path_factory.mktemp("site")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--target",
        str(site),
    ]
    subprocess.run([*pip, str(ROOT / "examples" / "third_party_plugin")], check=True)
    environment = {**os.environ, "PYTHONPATH": str(site), "HF_HUB_OFFLINE": "1"}
    environment["METIER_DATA"] = str(tmp_path_factory.mktemp("data"))

    def report(*words: str) -> Any:
        command = [sys.executable, str(FOLDER / "main.py"), "--json", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return report


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    monkeypatch.syspath_prepend(str(FOLDER))
    yield {name: importlib.import_module(name) for name in MODULES}
    for name in MODULES:
        del sys.modules[name]


def right(report: Any, field: str) -> int:
    return sum(
        row["found"] is not None and row["found"] == row["truth"] for row in report["fields"] if row["field"] == field
    )


def test_a_recognizer_that_was_never_taught_invoices(run: Callable[..., Any]) -> None:
    report = run("--count", "5", "--model", "en-core-web-sm")
    assert len(report["fields"]) == 20
    assert right(report, "seller") >= 2
    assert right(report, "number") == 0  # it has no such label


def test_the_fitted_one(run: Callable[..., Any]) -> None:
    report = run("--count", "5", "--taught", "40")
    assert sum(right(report, field) for field in ("number", "date", "total", "seller")) >= 8


def test_marks_stand_where_the_fields_are(modules: dict[str, ModuleType]) -> None:
    drawing, invoices = modules["drawing"], modules["invoices"]
    random = Random(0)
    for layout in drawing.LAYOUTS.values():
        for _ in range(20):
            given = invoices.invoice(random, invoices.JUDGED)
            text = drawing.written(list(layout(given)), given)
            assert {entity.label: entity.text for entity in text.entities} == given.truth


def test_what_is_judged_was_not_taught(modules: dict[str, ModuleType]) -> None:
    drawing, invoices = modules["drawing"], modules["invoices"]
    assert not {*invoices.TAUGHT[0]} & {*invoices.JUDGED[0]}
    assert not {*invoices.TAUGHT[1]} & {*invoices.JUDGED[1]}
    assert set(drawing.LAYOUTS) - set(drawing.SHOWN) == {"form"}


def test_pages_are_drawn_alike_for_one_seed(modules: dict[str, ModuleType]) -> None:
    drawing, invoices = modules["drawing"], modules["invoices"]
    given = invoices.invoice(Random(1), invoices.TAUGHT)
    first, again, other = (drawing.draw(list(drawing.form(given)), Random(seed)).pixels for seed in (2, 2, 3))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
