"""The wheels of an export: those of what is installed here, each as it is locked, and installed by pip alone."""

from __future__ import annotations

import importlib
import json
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from metier import __version__
from metier.locking.export import export
from metier.locking.inventory import Inventory
from metier.locking.lockfile import Lock
from metier.locking.syncing import sync
from metier.locking.wheels import install_line, with_wheels
from metier.plugins import PluginHost
from metier_contracts import PluginError

from tests.support.wheels import build_wheel

from .conftest import World, lock_here, sha256

Install = Callable[..., Path]

# A backend in the project itself: pip builds its wheel without an index.
BACKEND = """
import zipfile

INFO = "metier_acme-{version}.dist-info"


def build_wheel(directory, settings=None, metadata=None):
    name = "metier_acme-{version}-py3-none-any.whl"
    with zipfile.ZipFile(f"{{directory}}/{{name}}", "w") as archive:
        archive.writestr(f"{{INFO}}/METADATA", "Metadata-Version: 2.1\\nName: metier-acme\\nVersion: {version}\\n")
        archive.writestr(f"{{INFO}}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr(f"{{INFO}}/RECORD", "")
    return name
"""
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "metier-acme"
version = "{version}"
"""


@pytest.fixture
def install(world: World, wheelhouse: Path, plugins: Any) -> Install:
    """Puts the wheel of a distribution onto pip's index, and what it says of itself into this environment."""

    def put(name: str, version: str = "1.0", requires: tuple[str, ...] = ()) -> Path:
        wheel = build_wheel(wheelhouse, name, {}, version=version, requires=requires)
        with zipfile.ZipFile(wheel) as archive:
            archive.extract(f"{name}-{version}.dist-info/METADATA", plugins.site)
        importlib.invalidate_caches()
        return wheel

    return put


@pytest.fixture
def here(install: Install, world: World) -> Lock:
    """A lock of a plugin whose distribution requires others, in an environment with still others."""
    install("metier", __version__, ("leaf", "fruit; extra == 'acme'"))
    install("metier_acme", "1.2.3", ("metier[acme]", "Twig.Of>=1", "windows; os_name == 'none'"))
    install("twig_of", requires=("leaf",))
    for name in ("leaf", "fruit", "stone"):
        install(name)
    world.place_path()
    return lock_here("mine/intent")


def carried(lock: Lock, folder: Path) -> Lock:
    """Write an export with wheels; return its lock."""
    made = with_wheels(lock, Inventory.here(), folder, lambda _: None)
    export(made, Inventory.here(), folder)
    return made


def pip(line: str, target: Path) -> subprocess.CompletedProcess[str]:
    """Run a line that starts with `python`, and let it install into a folder."""
    words = [sys.executable, *shlex.split(line)[1:], "--target", str(target)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_an_export_holds_the_wheels_of_all_that_its_plugins_require(here: Lock, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    lock = carried(here, stick)
    names = [wheel.name.partition("-")[0] for wheel in lock.wheels]
    assert names == ["fruit", "leaf", "metier", "metier_acme", "twig_of"]
    for wheel in lock.wheels:
        data = (stick / "wheels" / wheel.name).read_bytes()
        assert (wheel.sha256, wheel.bytes) == (sha256(data), len(data))
    assert sync(lock, export=stick) == []


def test_its_line_installs_them_and_none_that_was_altered(here: Lock, tmp_path: Path) -> None:
    stick = tmp_path / "a stick"
    lock = carried(here, stick)
    assert pip(install_line(stick), tmp_path / "site1").returncode == 0
    installed = {path.name for path in (tmp_path / "site1").glob("*.dist-info")}
    assert installed == {"-".join(wheel.name.split("-")[:2]) + ".dist-info" for wheel in lock.wheels}

    build_wheel(stick / "wheels", "leaf", {"leaf.py": b"import os"})
    refused = pip(install_line(stick), tmp_path / "site2")
    assert refused.returncode != 0
    assert "DO NOT MATCH THE HASHES" in refused.stderr
    assert "leaf==1.0" in refused.stderr


def test_sync_tells_of_wheels_that_are_altered_or_gone(here: Lock, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    lock = carried(here, stick)
    altered, gone = stick / "wheels" / lock.wheels[0].name, stick / "wheels" / lock.wheels[1].name
    altered.write_bytes(b"others")
    gone.unlink()
    found = sync(lock, export=stick)
    assert [(each.kind, each.name, each.found) for each in found] == [
        ("file", str(altered), f"sha256 {sha256(b'others')}"),
        ("file", str(gone), "absent"),
    ]


def test_a_plugin_that_differs_is_mended_by_the_wheels(here: Lock, tmp_path: Path, plugins: Any) -> None:
    stick = tmp_path / "stick"
    lock = carried(here, stick)
    (plugins.site / "metier_acme-1.2.3.dist-info" / "METADATA").write_text("Name: metier_acme\nVersion: 2.0\n")
    (difference,) = sync(lock, export=stick)
    assert (difference.kind, difference.fix) == ("plugin", install_line(stick))
    (difference,) = sync(lock)
    assert difference.fix == 'pip install "metier_acme==1.2.3"'


def test_another_export_takes_the_place_of_the_wheels(here: Lock, tmp_path: Path, install: Install) -> None:
    stick = tmp_path / "stick"
    carried(here, stick)
    (stick / "wheels.partial-killed").mkdir()
    install("metier_acme", "1.2.3")
    lock = carried(here, stick)
    there = {path.name for path in (stick / "wheels").iterdir()}
    assert there == {"requirements.txt", *(wheel.name for wheel in lock.wheels)}
    assert [wheel.name.partition("-")[0] for wheel in lock.wheels] == ["leaf", "metier", "metier_acme"]
    assert sorted(path.name for path in stick.iterdir()) == ["files", "metier.lock", "wheels"]


def test_what_pip_cannot_get_is_told_and_leaves_nothing(here: Lock, tmp_path: Path, wheelhouse: Path) -> None:
    (wheelhouse / "leaf-1.0-py3-none-any.whl").unlink()
    with pytest.raises(PluginError, match="pip could not do its work on the wheels") as caught:
        carried(here, tmp_path / "stick")
    assert "No matching distribution found for leaf==1.0" in str(caught.value.got)
    assert "PIP_FIND_LINKS" in str(caught.value.hint)
    assert list((tmp_path / "stick").iterdir()) == []


def test_what_is_required_and_not_installed_is_told(here: Lock, tmp_path: Path, install: Install) -> None:
    install("twig_of", requires=("no-such-leaf>=2",))
    with pytest.raises(PluginError, match="no wheel of no-such-leaf") as caught:
        carried(here, tmp_path / "stick")
    assert caught.value.expected == "no-such-leaf>=2, which twig_of requires"
    assert caught.value.hint == 'pip install "no-such-leaf>=2"'


def test_a_plugin_in_an_environment_of_its_own_is_left_out(
    here: Lock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Inventory.here().host.find("acme")
    assert record is not None
    monkeypatch.setattr(PluginHost, "find", lambda self, name: replace(record, environment=object()))
    lock = with_wheels(here, Inventory.here(), tmp_path / "stick", lambda _: None)
    assert [wheel.name.partition("-")[0] for wheel in lock.wheels] == ["leaf", "metier"]


@pytest.mark.parametrize("editable", [True, False])
def test_the_wheel_of_a_checkout_is_built(
    here: Lock, tmp_path: Path, plugins: Any, wheelhouse: Path, editable: bool
) -> None:
    (wheelhouse / "metier_acme-1.2.3-py3-none-any.whl").unlink()
    project = tmp_path / "project"
    project.mkdir()
    origin = {"url": project.as_uri(), "dir_info": {"editable": True} if editable else {}}
    (plugins.site / "metier_acme-1.2.3.dist-info" / "direct_url.json").write_text(json.dumps(origin))
    for version in ("1.2.3", "1.3"):
        (project / "pyproject.toml").write_text(PROJECT.format(version=version))
        (project / "backend.py").write_text(BACKEND.format(version=version))
        if version == "1.2.3":
            assert carried(here, tmp_path / "stick").has_wheel("metier-acme")
    with pytest.raises(PluginError, match="the wheel of metier_acme is of another version") as caught:
        carried(here, tmp_path / "stick")
    assert (caught.value.expected, caught.value.got) == ("1.2.3", "1.3")
    assert str(project) in str(caught.value.hint)
