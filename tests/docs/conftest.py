import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def root():
    """The root of the tree."""
    return ROOT


@pytest.fixture
def expand(monkeypatch):
    """The hook that fills the marks of a page."""
    monkeypatch.syspath_prepend(str(ROOT / "docs/_hooks"))
    import generate

    yield generate.on_page_markdown
    for name in ("generate", "api", "command_line", "folders", "manifest", "tables"):
        sys.modules.pop(name, None)
