"""The import rules of pyproject.toml hold, and lint-imports would tell if they did not."""

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest


@pytest.fixture
def tree(root, plugins, tmp_path):
    """A copy of the sources."""
    for name in ("contracts", "core", "plugins"):
        shutil.copytree(root / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", tmp_path)
    return tmp_path


def lint(tree, plugins):
    roots = [tree / "contracts", tree / "core", *(tree / "plugins" / name for name in plugins)]
    command = [Path(sysconfig.get_path("scripts")) / "lint-imports", "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, roots))}
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)


def test_the_rules_hold(tree, plugins):
    done = lint(tree, plugins)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("contracts/metier_contracts/text.py", "import metier"),
        ("contracts/metier_contracts/text.py", "import torch"),
        ("core/metier/paths.py", "import metier_mlm"),
        ("plugins/mlm/metier_mlm/__init__.py", "import metier"),
        ("plugins/sam/metier_sam/__init__.py", "import metier"),
        ("plugins/sam/metier_sam/__init__.py", "import metier_mlm"),
        ("plugins/timeseries/metier_timeseries/__init__.py", "import metier"),
        ("plugins/timeseries/metier_timeseries/__init__.py", "import metier_mlm"),
        ("plugins/gnn/metier_gnn/__init__.py", "import metier"),
    ],
)
def test_a_forbidden_import_is_found(tree, plugins, module, line):
    with (tree / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    done = lint(tree, plugins)
    assert done.returncode == 1
    assert "BROKEN" in done.stdout
