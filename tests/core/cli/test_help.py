"""What `--help` lists: each command with a sentence that is whole on a narrow terminal."""

import pytest


@pytest.mark.parametrize("group", [(), ("run",), ("fit",), ("bench",), ("plugin",)], ids=" ".join)
def test_no_summary_is_cut_off(group, metier, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    listed = metier(*group, "--help").out.partition("Commands:")[2]
    assert listed.strip()
    assert "..." not in listed
