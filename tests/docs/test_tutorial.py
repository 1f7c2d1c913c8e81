"""The tutorial builds the plugin that stands in the examples, file by file."""

from __future__ import annotations

from tests.docs.test_code_blocks import ROOT, blocks_of

PLUGIN = ROOT / "examples" / "third_party_plugin"
OWN = {"README.md"}  # of the distribution in the examples, with what a tutorial needs not say


def _files() -> dict[str, str]:
    paths = [path for path in PLUGIN.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {path.relative_to(PLUGIN).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def test_each_file_is_that_of_the_example() -> None:
    blocks = blocks_of((ROOT / "docs" / "tutorial-ocr.md").read_text(encoding="utf-8"))
    titled = {block.title: block.text for block in blocks if block.title is not None}
    wanted = _files()
    assert titled.keys() == wanted.keys()
    assert [name for name in titled if name not in OWN and titled[name] != wanted[name]] == []
