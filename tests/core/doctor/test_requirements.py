"""Requirements that are not met are told with both sides, however far down they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import Distribution
from typing import Any

import pytest
from metier.doctor.requirements import conflicts, installed_here
from metier.plugins.discovery import PluginRecord, State
from metier_contracts import Manifest

Write = Callable[..., Mapping[str, Distribution]]


def record(name: str, state: State = "ready", extra: str | None = None) -> PluginRecord:
    manifest = Manifest(contract="1.0", name=name, extra=extra)
    return PluginRecord(name, f"metier-{name}", "1.0", f"metier_{name}.plugin", state, manifest=manifest)


def test_what_is_met_is_no_conflict(distributions: Write) -> None:
    installed = distributions(
        {"metier-a 1.0": ["numpy>=1", "Typing_Extensions"], "numpy 2.1": [], "typing-extensions 4": []}
    )
    assert conflicts([record("a")], installed) == []


def test_two_plugins_that_need_different_versions_are_both_named(distributions: Write) -> None:
    installed = distributions({"metier-a 1.0": ["numpy<2"], "metier-b 1.0": ["numpy>=2"], "numpy 2.1": []})
    (found,) = conflicts([record("a"), record("b")], installed)
    assert (found.plugin, found.requirement, found.installed, dict(found.others)) == (
        "a",
        "numpy<2",
        "2.1",
        {"b": "numpy>=2"},
    )
    assert str(found).startswith("a (metier-a 1.0) needs numpy<2, installed is 2.1; b needs numpy>=2\n")
    assert "environments of their own" in found.fix


def test_what_a_requirement_requires_counts_too(distributions: Write) -> None:
    installed = distributions(
        {
            "metier-a 1.0": ["middle"],
            "middle 3": ["deep>=1"],
            "deep 1": ["numpy<2"],
            "numpy 2.1": [],
            "metier-b 1.0": [],
        }
    )
    (found,) = conflicts([record("a"), record("b")], installed)
    assert found.path == ("metier-a 1.0", "middle 3", "deep 1")
    assert found.fix == 'pip install "numpy<2"'


def test_what_is_not_installed_is_told(distributions: Write) -> None:
    (found,) = conflicts([record("a")], distributions({"metier-a 1.0": ["absent>=1"]}))
    assert found.installed is None
    assert "it is not installed" in str(found)


@pytest.mark.parametrize(("extra", "expected"), [("big", ["numpy<2"]), ("other", []), (None, [])])
def test_only_the_extra_of_the_plugin_counts(distributions: Write, extra: str | None, expected: list[str]) -> None:
    installed = distributions({"metier-a 1.0": ['numpy<2; extra == "big"', 'x; python_version < "3"'], "numpy 2.1": []})
    assert [found.requirement for found in conflicts([record("a", extra=extra)], installed)] == expected


def test_an_extra_of_a_requirement_counts(distributions: Write) -> None:
    installed = distributions(
        {"metier-a 1.0": ["middle[fast]"], "middle 1": ['numpy<2; extra == "fast"', "numpy>=1"], "numpy 2.1": []}
    )
    assert [found.requirement for found in conflicts([record("a")], installed)] == ["numpy<2"]


def test_a_plugin_without_its_extra_is_no_conflict(distributions: Write) -> None:
    installed = distributions({"metier-a 1.0": ["absent"]})
    assert conflicts([record("a", "available")], installed) == []


def test_circles_versions_that_are_none_and_lines_that_are_none_do_no_harm(distributions: Write) -> None:
    installed = distributions({"metier-a 1.0": ["b", "??"], "b 1": ["metier-a"], "c not-a-version": []})
    assert conflicts([record("a")], installed) == []
    assert conflicts([record("c")], distributions({"metier-c 1.0": ["c>=1"]})) == []


def test_this_environment_has_metier(plugins: Any) -> None:
    assert installed_here()["metier"].version
