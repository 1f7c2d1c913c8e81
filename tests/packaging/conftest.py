import tomllib
from pathlib import Path

import pytest

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
