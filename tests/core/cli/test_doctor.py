"""`metier doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from metier.paths import fitted_folder

HEALTHY = "from metier_contracts import hookimpl\n\n\n@hookimpl\ndef metier_load(card, placement): ...\n"


def test_all_well_is_exit_code_0(plugins: Any, metier: Any) -> None:
    plugins.write("acme", plugins.card("acme-keywords"), code=HEALTHY)
    ran = metier("doctor")
    assert ran.code == 0
    assert "metier-acme" in ran.out
    assert "devices: cpu" in ran.out


def test_a_missing_extra_is_exit_code_0_with_its_line(plugins: Any, metier: Any) -> None:
    plugins.write("acme", plugins.card("acme-keywords"), requires=["no_such_module"], extra="big")
    ran = metier("doctor")
    assert ran.code == 0
    assert 'pip install "metier-acme[big]"' in ran.out


def test_a_broken_plugin_is_exit_code_1_with_cause_and_fix(plugins: Any, metier: Any) -> None:
    plugins.write("acme", plugins.card("acme-keywords"), code="raise RuntimeError('no luck')")
    ran = metier("doctor")
    assert ran.code == 1
    for words in ("acme (metier-acme 1.2.3) is quarantined", "no luck", "pip install --upgrade metier-acme"):
        assert words in ran.out


def test_a_fitted_model_that_cannot_be_read_is_exit_code_1_and_stops_nothing_else(plugins: Any, metier: Any) -> None:
    plugins.write("acme", plugins.card("acme-keywords"), code=HEALTHY)
    card = fitted_folder() / "mine%2Fa" / "metier-card.json"
    card.parent.mkdir(parents=True)
    card.write_text("{}")
    ran = metier("doctor")
    assert ran.code == 1
    assert str(card) in ran.out
    assert str(card) in metier("doctor", "--json").json["unreadable"][0]
    assert "acme-keywords" in metier("models").out


def test_json_holds_every_record(plugins: Any, metier: Any) -> None:
    plugins.write("acme", plugins.card("acme-keywords"), contract="9.0")
    ran = metier("doctor", "--json")
    assert ran.code == 1
    (record,) = ran.json["plugins"]
    assert record["state"] == "quarantined"
    assert "wrong contract version" in record["cause"]
    assert ran.json["machine"]["python"]


def test_config_prints_each_setting_with_its_origin(
    plugins: Any, metier: Any, settings_file: Any, monkeypatch: Any
) -> None:
    path = settings_file({"memory": "4GB", "defaults": {"classify": "x"}})
    monkeypatch.setenv("METIER_DEVICE", "cpu")
    rows = {row["setting"]: row for row in metier("doctor", "--config", "--json").json}
    assert (rows["memory"]["value"], rows["memory"]["origin"]) == (4_000_000_000, str(path))
    assert (rows["device"]["value"], rows["device"]["origin"]) == ("cpu", "METIER_DEVICE")
    assert rows["offline"]["origin"] == "default"
    assert str(path) in metier("doctor", "--config").out


def test_keys_of_remote_models_are_told_by_name(
    plugins: Any, metier: Any, settings_file: Any, monkeypatch: Any
) -> None:
    far = {"source": "https://example.org/v1"}
    plugins.write("acme", plugins.card("acme/far", **far, key_env="FAR_KEY"), code=HEALTHY)
    settings_file({"cards": [{"plugin": "acme", **plugins.card("mine/far", **far, key_env="MY_KEY")}]})
    monkeypatch.setenv("FAR_KEY", "s3cret")
    monkeypatch.delenv("MY_KEY", raising=False)
    ran = metier("doctor")
    assert ran.code == 0
    assert "FAR_KEY: set\n" in ran.out
    assert "MY_KEY: not set" in ran.out
    assert "s3cret" not in ran.out
    assert metier("doctor", "--json").json["keys"] == {"FAR_KEY": True, "MY_KEY": False}


def test_altered_weights_are_exit_code_1(plugins: Any, metier: Any, tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "a.gguf").write_bytes(b"weights")
    listed = {"source": f"path:{folder}", "sha256": {"a.gguf": "0" * 64}}
    plugins.write("acme", plugins.card("acme/k", **listed, licence="CC-BY-NC-4.0"), code=HEALTHY)
    assert metier("doctor").code == 0
    ran = metier("doctor", "--verify")
    assert ran.code == 1
    assert f"acme/k is altered: {folder / 'a.gguf'}" in ran.out
    (model,) = metier("doctor", "--json", "--verify").json["weights"]
    assert (model["state"], model["licence"]) == ("altered", "CC-BY-NC-4.0")


def test_a_requirement_that_is_not_met_is_exit_code_1(plugins: Any, metier: Any) -> None:
    plugins.write("acme", plugins.card("acme/k"), code=HEALTHY)
    (info,) = plugins.site.glob("metier_acme-*.dist-info")
    with (info / "METADATA").open("a") as file:
        file.write("Requires-Dist: pydantic<1\n")
    ran = metier("doctor")
    assert ran.code == 1
    assert "acme (metier-acme 1.2.3) needs pydantic<1, installed is" in ran.out


def test_plugins_that_run_unprotected_are_named(plugins: Any, metier: Any) -> None:
    plugins.write("acme", plugins.card("acme/k"), code=HEALTHY)
    assert "unprotected, since they run in the process of the program: acme\n" in metier("doctor").out
    (record,) = metier("doctor", "--json").json["plugins"]
    assert (record["isolation"], record["protected"], record["licences"]) == ("inproc", False, ["MIT"])
