import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.once import once

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def root():
    """The root of the tree."""
    return ROOT


@pytest.fixture(scope="session")
def pyproject():
    """The contents of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def plugins():
    """The folders of plugins/, by name."""
    return {folder.name: folder for folder in sorted((ROOT / "plugins").iterdir()) if folder.is_dir()}


def run(*command, cwd, **variables):
    """Run a command away from the tree, as a user would."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | variables
    return subprocess.run(
        [*map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=600
    )


def succeed(*command, cwd, **variables):
    """Run a command that has to succeed; return what it printed."""
    done = run(*command, cwd=cwd, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def built(root, tmp_path_factory):
    """The folder that holds the sdist, and the wheel built from it."""

    def build(folder):
        succeed(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, root, cwd=folder)

    return once(tmp_path_factory, "dist", build)


@pytest.fixture(scope="session")
def wheel(built):
    """The path of the wheel."""
    [path] = built.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def clean(wheel, tmp_path_factory):
    """A function that runs a command of an environment where the wheel is installed without extras."""

    def make(folder):
        succeed(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
        succeed(scripts_of(folder / "venv") / "python", "-m", "pip", "install", "--quiet", wheel, cwd=folder)

    folder = once(tmp_path_factory, "clean", make)
    return lambda program, *arguments: run(scripts_of(folder / "venv") / program, *arguments, cwd=folder)


def scripts_of(environment):
    """The folder of the programs of a virtual environment."""
    return environment / ("Scripts" if os.name == "nt" else "bin")
