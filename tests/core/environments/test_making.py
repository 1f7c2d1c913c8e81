"""Environments made for real, with pip: numpy 1 in one, numpy 2 here, and a pipeline through both."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from metier import Runtime, task
from metier.cli import app
from metier.doctor.plugins import examine
from metier.environments import Environment, environments, installer
from metier.environments.making import make_environment, remove_environment
from metier.paths import environments_folder
from metier_contracts import Image, PluginError, Segment, Segmentation, WorkerDiedError
from typer.testing import CliRunner

from tests.core.environments.conftest import NEW, manifest

Wheel = Callable[..., Path]
pytestmark = pytest.mark.skipif(os.name != "posix", reason="workers need descriptors to be handed over")


@pytest.fixture
def picture() -> Image:
    pixels = np.zeros((400, 600, 3), np.uint8)  # 720 kB: goes through shared memory
    pixels[100:200, 50:250] = 200
    pixels[300:310, :, 1:] = 255  # bright on the mean, dark in red
    return Image(pixels=pixels)


@pytest.fixture
def new(plugins: Any) -> None:
    """A plugin in this process, which needs numpy 2."""
    plugins.write("new", code=NEW, manifest=manifest("new", "numpy").encode())


@task(model="old-threshold")
def by_old(image: Image) -> Segment:
    return Segment(image=image, everything=True)


@pytest.mark.usefixtures("old", "new")
def test_plugins_for_numpy_1_and_2_work_in_one_pipeline(picture: Image) -> None:
    assert int(np.__version__.partition(".")[0]) >= 2

    @task(model="new-threshold")
    def by_new(found: Segmentation) -> Segment:
        return Segment(image=picture, mask=found.masks[0])

    with Runtime() as runtime:
        first = runtime.run(by_old, picture)
        both = runtime.run(by_old >> by_new, picture)
    assert first.masks.dtype == bool
    assert np.array_equal(first.masks[0], picture.pixels.mean(axis=2) > 100)
    assert np.array_equal(both.masks[0], picture.pixels[..., 0] > 100)
    assert both.boxes.tolist() == [[50, 100, 250, 200]]


@pytest.mark.usefixtures("old", "plugins")
def test_its_death_costs_that_request_and_no_more(picture: Image) -> None:
    with Runtime() as runtime:
        with pytest.raises(WorkerDiedError):
            runtime.run(Segment(image=picture, points=np.zeros((1, 2), np.float32)), model="old-threshold")
        assert runtime.run(by_old, picture).masks.any()


@pytest.mark.usefixtures("plugins")
def test_what_was_made(old: Environment) -> None:
    assert (old.package, old.plugins) == ("old", ("old",))
    assert environments() == [old]
    assert list(old.folder.glob("lib/python*/site-packages/numpy-1.*.dist-info"))
    (record,) = examine()
    assert (record.state, record.environment) == ("ready", old)
    listed = CliRunner().invoke(app, ["plugin", "list", "--json"])
    assert '"runs": "venv"' in listed.stdout
    assert str(old.folder) in listed.stdout


@pytest.fixture
def no_pip_runs(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """In the place of pip: something that leaves the distributions of this environment and one more in the new one."""

    def instead(*, extra: Path | None = None) -> None:
        def install(requirements: Any, python: Path, report: Any) -> None:
            (site,) = python.parent.parent.glob("lib/python*/site-packages")
            for name in ("metier", *(() if extra is None else (extra.name,))):
                info = site / f"{name}-0.1.0.dist-info"
                info.mkdir()
                (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n")

        monkeypatch.setattr(installer, "install", install)

    return instead


def test_a_distribution_without_plugins_is_refused_and_leaves_nothing(no_pip_runs: Callable[..., None]) -> None:
    no_pip_runs(extra=Path("plain"))
    with pytest.raises(PluginError, match=r"plain 0\.1\.0 has no plugin that works") as caught:
        make_environment("plain", lambda _: None)
    assert caught.value.got == "no such entry point"
    assert [path.name for path in environments_folder().iterdir()] == [".lock"]


def test_what_cannot_be_installed_leaves_nothing_and_shows_the_last_lines(tmp_path: Path) -> None:
    lines: list[str] = []
    missing = tmp_path / "acme-1.0-py3-none-any.whl"
    with pytest.raises(PluginError) as caught:
        make_environment(f"metier-acme @ {missing.as_uri()}", lines.append)
    assert "No such file or directory" in str(caught.value.got)
    assert lines
    assert [path.name for path in environments_folder().iterdir()] == [".lock"]


def test_a_kill_leaves_a_folder_that_counts_for_nothing(no_pip_runs: Callable[..., None]) -> None:
    left = environments_folder() / "acme-killed"
    (left / "bin").mkdir(parents=True)
    assert environments() == []
    no_pip_runs()
    with pytest.raises(PluginError):
        make_environment("metier", lambda _: None)
    assert not left.exists()


def test_there_is_nothing_to_remove_where_there_is_no_environment() -> None:
    assert not remove_environment("no-such-package")


def test_without_pip_uv_does_it_and_without_both_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(installer, "find_spec", lambda name: None)
    uv = tmp_path / "uv"
    uv.write_text('#!/bin/sh\necho "$@"\nexit 3\n')
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    lines: list[str] = []
    with pytest.raises(PluginError, match="uv could not"):
        installer.install(["a", "b"], Path(sys.executable), lines.append)
    assert lines == [f"pip install --python {sys.executable} a b"]
    uv.unlink()
    with pytest.raises(PluginError, match="no installer is at hand"):
        installer.install(["a"], Path(sys.executable), lines.append)


def test_install_beside_metier_and_uninstall_by_command(plugins: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plugins.write("acme", package="acme")
    calls: list[tuple[str, Any, Path]] = []
    monkeypatch.setattr(installer, "install", lambda names, python, report: calls.append(("install", names, python)))
    monkeypatch.setattr(installer, "uninstall", lambda name, python, report: calls.append(("uninstall", name, python)))
    here = Path(sys.executable)
    assert CliRunner().invoke(app, ["plugin", "install", "acme"]).exit_code == 0
    assert CliRunner().invoke(app, ["plugin", "uninstall", "acme"]).exit_code == 0
    assert calls == [("install", ["acme"], here), ("uninstall", "acme", here)]
