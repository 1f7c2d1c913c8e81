"""Plugins that were built for an earlier minor of the contract work, and conform, on this one."""

import importlib
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from metier import Runtime
from metier.testing import check_plugin
from metier_contracts import (
    CONTRACT_VERSION,
    Classify,
    DetectAnomalies,
    Embed,
    Extract,
    Forecast,
    Generate,
    Series,
    read_manifest,
)

HERE = Path(__file__).parent
MINORS = sorted(folder.name for folder in HERE.glob("[0-9]*.[0-9]*"))


@pytest.fixture(params=MINORS)
def minor(request):
    return request.param


@pytest.fixture
def wheel(minor):
    """The wheel that was built for a minor."""
    [path] = (HERE / minor).glob("*.whl")
    return path


@pytest.fixture
def installed(wheel, tmp_path, monkeypatch):
    """The wheel's files, where this process and those that it starts find them, and no settings."""
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    for name in ("CONFIG_HOME", "DATA", "CACHE"):
        monkeypatch.setenv(f"METIER_{name}", str(tmp_path / name.lower()))
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))
    importlib.invalidate_caches()
    yield site
    for name in [name for name in sys.modules if name.partition(".")[0] == "metier_compat"]:
        del sys.modules[name]


def test_there_is_a_plugin_for_each_minor():
    major, _, minor = CONTRACT_VERSION.partition(".")
    assert [f"{major}.{number}" for number in range(int(minor) + 1)] == sorted(
        MINORS, key=lambda one: int(one.partition(".")[2])
    )


def test_the_wheel_was_built_for_that_minor(installed, minor):
    assert read_manifest(installed / "metier_compat/metier-plugin.toml").contract == minor


def test_the_wheel_is_of_its_source(installed, minor):
    source = HERE / minor / "source"
    files = [path for path in (source / "metier_compat").iterdir() if path.is_file()]
    assert files
    assert [
        path.name for path in files if (installed / path.relative_to(source)).read_bytes() != path.read_bytes()
    ] == []


def test_it_conforms(installed):
    report = check_plugin("metier-compat")
    report.raise_for_failures()
    assert {result.model for result in report.results if result.check == "contract"} == {
        "compat/texts",
        "compat/series",
    }
    assert {result.status for result in report.results if result.check == "invariants"} == {"passed"}


def test_it_answers(installed):
    rising = Series(values=np.array([1.0, 2.0, 3.0, 4.0]))
    with Runtime() as runtime:
        label = runtime.run(Classify(text="lamps", labels=["lamp", "shoe"]), model="compat/texts").label
        vectors = runtime.run(Embed(texts=["a", "b"]), model="compat/texts").vectors
        found = runtime.run(Extract(text="12 lamps", entity_types=["NUMBER"]), model="compat/texts").entities
        pieces = [piece.text for piece in runtime.stream(Generate.of("be quick"), model="compat/texts")]
        ahead = runtime.run(Forecast(series=rising, horizon=2), model="compat/series").mean
        odd = runtime.run(
            DetectAnomalies(series=Series(values=np.array([*np.zeros(50), 9.0]))), model="compat/series"
        ).flags
    assert label == "lamp"
    assert vectors.shape == (2, 26)
    assert [one.text for one in found] == ["12"]
    assert "".join(pieces) == "BE QUICK"
    assert list(ahead) == [4.0, 4.0]
    assert list(np.flatnonzero(odd)) == [50]
