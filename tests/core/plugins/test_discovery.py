from __future__ import annotations

import importlib.metadata
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from metier import Runtime
from metier.plugins import discovery
from metier.plugins.discovery import PluginRecord, discover
from metier_contracts import CONTRACT_VERSION, Classify, PluginQuarantinedError

MAJOR, MINOR = map(int, CONTRACT_VERSION.split("."))


def by_name(records: list[PluginRecord]) -> dict[str, PluginRecord]:
    return {record.name: record for record in records}


def test_a_plugin_is_known_by_its_manifest(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/a"), plugins.card("acme/b"), summary="Rules.")
    (record,) = discover()
    assert (record.name, record.package, record.version) == ("acme", "metier-acme", "1.2.3")
    assert (record.state, record.cause, record.fix) == ("ready", "", "")
    assert record.module == "metier_acme.plugin"
    assert record.manifest is not None
    assert record.manifest.summary == "Rules."
    assert [(card.id, card.plugin) for card in record.manifest.models] == [("acme/a", "acme"), ("acme/b", "acme")]


def test_no_plugin_is_imported(plugins: Any) -> None:
    plugins.write("healthy", plugins.card("healthy/a"))
    plugins.write("failing", plugins.card("failing/a"), init="raise RuntimeError", code="raise RuntimeError")
    before = set(sys.modules)
    records = discover()
    assert set(sys.modules) == before
    assert [(record.name, record.state) for record in records] == [("failing", "ready"), ("healthy", "ready")]


def test_a_required_submodule_is_looked_for_without_importing_its_parent(plugins: Any) -> None:
    plugins.write("other", init="raise RuntimeError('imported')")
    plugins.write("acme", requires=["metier_other.sub"])
    assert by_name(discover())["acme"].state == "ready"
    assert plugins.imported() == []


def test_metier_comes_first_and_the_rest_in_order_of_package_and_name(plugins: Any) -> None:
    for name, package in (("b", "zeta"), ("a", "zeta"), ("z", "metier"), ("c", "alpha"), ("q", "metier")):
        plugins.write(name, package=package, version=name, manifest=None, top=f"top_{name}")
    # One distribution may bring several plugins: here each has its own, but for the name of the package.
    found = [(record.package, record.name) for record in discover()]
    assert found == sorted(found, key=lambda row: (row[0] != "metier", *row))
    assert found[0][0] == "metier"


def test_several_plugins_of_one_distribution(plugins: Any) -> None:
    plugins.write("one", plugins.card("one/a"), package="both", version="1")
    plugins.write("two", plugins.card("two/a"), package="other", version="1")
    shutil.rmtree(plugins.site / "other-1.dist-info")
    lines = "[metier.plugins]\ntwo = metier_two.plugin\none = metier_one.plugin\n"
    (plugins.site / "both-1.dist-info" / "entry_points.txt").write_text(lines)
    assert [(record.package, record.name) for record in discover()] == [("both", "one"), ("both", "two")]


def test_a_distribution_that_is_found_twice_counts_once(plugins: Any) -> None:
    plugins.write("acme", package="My_Acme", version="2")
    shutil.copytree(plugins.site / "My_Acme-2.dist-info", plugins.site / "my.acme-1.dist-info")
    assert [(record.name, record.state) for record in discover()] == [("acme", "ready")]


def test_the_plugins_of_this_very_environment_are_data_too() -> None:
    before = set(sys.modules)
    records = discover()
    assert all(isinstance(record, PluginRecord) for record in records)
    assert not {name for name in set(sys.modules) - before if name.startswith("metier_")}


def test_an_extra_that_is_missing_makes_a_plugin_available(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/a"), extra="acme", requires=["json", "surely_not_here", "nor_this.sub"])
    (record,) = discover()
    assert record.state == "available"
    assert record.cause == "missing: surely_not_here, nor_this.sub"
    assert record.fix == 'pip install "metier-acme[acme]"'
    assert [card.id for card in record.manifest.models] == ["acme/a"]  # type: ignore[union-attr]


def test_an_extra_that_is_there_makes_it_ready(plugins: Any) -> None:
    plugins.write("acme", extra="acme", requires=["json", "numpy"])
    assert discover()[0].state == "ready"


@dataclass
class Broken:
    """A way to break a plugin that discovery sees, and what the record says of it."""

    fields: dict[str, Any]
    cause: str
    fix: str
    after: Callable[[Any], None] = lambda plugins: None


def remove_package(plugins: Any) -> None:
    shutil.rmtree(plugins.site / "metier_broken")


REINSTALL = "pip install --force-reinstall metier-broken"
UPGRADE = "pip install --upgrade metier-broken"
BROKEN = {
    "newer minor": Broken(
        {"contract": f"{MAJOR}.{MINOR + 1}"}, "wrong contract version", "pip install --upgrade metier"
    ),
    "newer major": Broken({"contract": f"{MAJOR + 1}.0"}, "wrong contract version", "pip install --upgrade metier"),
    "older major": Broken({"contract": f"{MAJOR - 1}.9"}, "wrong contract version", UPGRADE),
    "no contract version": Broken({"contract": "one"}, "MAJOR.MINOR", REINSTALL),
    "manifest absent": Broken({"manifest": b""}, "FileNotFoundError", REINSTALL),
    "bad TOML": Broken({"manifest": b"name = "}, "TOMLDecodeError", REINSTALL),
    "TOML too deep": Broken({"manifest": b"a = " + b"[" * 100_000}, "RecursionError", REINSTALL),
    "not UTF-8": Broken({"manifest": 'name = "é"'.encode("latin-1")}, "UnicodeDecodeError", REINSTALL),
    "bad schema": Broken({"colour": "red"}, "Manifest.colour", REINSTALL),
    "bad card": Broken({"models": [{"id": "broken/a"}]}, "Manifest.models[0]", REINSTALL),
    "no package": Broken({}, "'metier_broken' named by the entry point is not installed", REINSTALL, remove_package),
    "namespace package": Broken({"init": None}, "not a regular package", REINSTALL),
    "single module": Broken({"entry_point": "metier_rule_models"}, "not a regular package", REINSTALL),
    "entry point with a hyphen": Broken({"entry_point": "metier-broken.plugin"}, "does not name a module", REINSTALL),
    "entry point with an object": Broken({"entry_point": "metier_broken.plugin:hooks"}, "name a module", REINSTALL),
    "relative entry point": Broken({"entry_point": ".plugin"}, "does not name a module", REINSTALL),
    "name mismatch": Broken(
        {"manifest": b'contract = "1.0"\nname = "other"'}, "'broken' and its manifest 'other'", UPGRADE
    ),
    "missing dependency": Broken({"requires": ["surely_not_here"]}, "surely_not_here", "pip install surely_not_here"),
}


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_plugin_is_data_and_its_neighbour_works(case: Broken, plugins: Any) -> None:
    plugins.write("healthy", plugins.card("healthy/a"))
    cards = () if "models" in case.fields else (plugins.card("broken/a"),)
    plugins.write("broken", *cards, **case.fields)
    case.after(plugins)
    records = by_name(discover())
    assert records["healthy"].state == "ready"
    broken = records["broken"]
    assert broken.state == "quarantined"
    assert (broken.package, broken.version) == ("metier-broken", "1.2.3")
    assert case.cause in broken.cause
    assert broken.fix == case.fix
    with Runtime() as rt:
        assert [info.card.id for info in rt.models()] == ["healthy/a"]
        assert rt.run(Classify(text="so good", labels=["good", "bad"])).label == "good"


@pytest.mark.parametrize(
    ("editable", "fix"), [(True, "correct it in {folder}"), (False, REINSTALL)], ids=["in place", "copied"]
)
def test_a_plugin_installed_from_its_source_in_place_is_mended_there(
    editable: bool, fix: str, plugins: Any, tmp_path: Path
) -> None:
    plugins.write("broken", colour="red")
    folder = tmp_path / "my broken"
    origin = {"url": folder.as_uri(), "dir_info": {"editable": editable}}
    (plugins.site / "metier_broken-1.2.3.dist-info" / "direct_url.json").write_text(json.dumps(origin))
    (record,) = discover()
    assert record.cause.endswith("expected no field of this name, got 'red'")
    assert record.fix == fix.format(folder=folder)


def test_a_quarantined_plugin_answers_for_its_ids(plugins: Any) -> None:
    plugins.write("broken", plugins.card("broken/a"), contract=f"{MAJOR + 1}.0")
    with Runtime() as rt, pytest.raises(PluginQuarantinedError, match="'broken' is set aside") as caught:
        rt.run(Classify(text="x", labels=["a"]), model="broken/a")
    assert "wrong contract version" in str(caught.value.got)
    assert caught.value.hint == "pip install --upgrade metier"
    assert "metier-broken 1.2.3" in str(caught.value.blame)


def test_a_plugin_name_twice_goes_to_the_first(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/a"), package="first-acme", top="first_acme")
    plugins.write("acme", plugins.card("acme/b"), package="second-acme", top="second_acme")
    first, second = discover()
    assert (first.package, first.state) == ("first-acme", "ready")
    assert (second.package, second.state) == ("second-acme", "quarantined")
    assert second.cause == "duplicate plugin name: 'acme' is also in first-acme 1.2.3"
    assert second.fix == "pip uninstall second-acme"
    with Runtime() as rt:
        assert [info.card.id for info in rt.models()] == ["acme/a"]
        assert rt.run(Classify(text="x", labels=["a"])).provenance.model == "acme/a"  # type: ignore[union-attr]


def test_a_model_id_twice_goes_to_the_first(plugins: Any) -> None:
    plugins.write("one", plugins.card("shared/a"))
    plugins.write("two", plugins.card("two/a"), plugins.card("shared/a"))
    one, two = discover()
    assert (one.name, one.state) == ("one", "ready")
    assert (two.name, two.state) == ("two", "quarantined")
    assert two.cause == "duplicate model id: 'shared/a' is also in metier-one 1.2.3"
    assert two.fix == "pip uninstall metier-two"
    with Runtime() as rt:
        assert rt.run(Classify(text="x", labels=["a"])).provenance.plugin == "one"  # type: ignore[union-attr]


def test_a_broken_plugin_takes_no_name_from_a_healthy_one(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/a"), package="a-first", top="a_first", contract="9.0")
    plugins.write("acme", plugins.card("acme/a"), package="b-second", top="b_second")
    assert [(record.package, record.state) for record in discover()] == [
        ("a-first", "quarantined"),
        ("b-second", "ready"),
    ]
    with Runtime() as rt:
        assert rt.run(Classify(text="x", labels=["a"])).provenance.plugin_version == "1.2.3"  # type: ignore[union-attr]


def test_an_entry_points_file_that_does_not_parse_is_data(plugins: Any) -> None:
    plugins.write("healthy", plugins.card("healthy/a"))
    plugins.write_distribution("metier-bad", "3", "[metier.plugins]\nno equals sign\n")
    plugins.write_distribution("stranger", "1", "[console_scripts]\nno equals sign\n")
    bad, healthy = discover()
    assert (bad.name, bad.package, bad.version, bad.state) == ("metier-bad", "metier-bad", "3", "quarantined")
    assert "entry_points.txt" in bad.cause
    assert bad.fix == "pip install --force-reinstall metier-bad"
    assert healthy.state == "ready"


@pytest.mark.parametrize("metadata", [None, "Version: 1\n", "Name: x\n"])
def test_damaged_metadata_are_unknown(metadata: str | None, plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/a"))
    path = plugins.site / "metier_acme-1.2.3.dist-info" / "METADATA"
    path.unlink()
    if metadata is not None:
        path.write_text(f"Metadata-Version: 2.1\n{metadata}")
    (record,) = discover()
    assert record.state == "ready"
    assert "unknown" in (record.package, record.version)


def test_a_distribution_whose_metadata_raise_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    class Damaged(importlib.metadata.Distribution):
        def read_text(self, filename: str) -> str | None:
            if filename == "entry_points.txt":
                return "[metier.plugins]\nacme = metier_surely_not_here.plugin\n"
            raise OSError("the disk")

        def locate_file(self, path: Any) -> Any:
            raise NotImplementedError

    monkeypatch.setattr(discovery, "distributions", lambda: [Damaged()])
    (record,) = discover()
    assert (record.name, record.package, record.version, record.state) == ("acme", "unknown", "unknown", "quarantined")
