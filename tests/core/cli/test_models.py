"""`metier models`."""

from __future__ import annotations

from typing import Any


def test_lists_each_model_with_its_plugin_and_state(plugins: Any, metier: Any) -> None:
    plugins.write("acme", plugins.card("acme-keywords", bytes=1_500_000))
    ran = metier("models")
    assert ran.code == 0
    row = next(line for line in ran.out.splitlines() if "acme-keywords" in line)
    for cell in ("classify", "rule", "acme", "1.5 MB", "none needed", "format only", "MIT", "ready"):
        assert cell in row


def test_json_holds_the_whole_card(plugins: Any, metier: Any) -> None:
    plugins.write("acme", plugins.card("acme-keywords"))
    (row,) = metier("models", "--json").json
    assert row["id"] == "acme-keywords"
    assert row["tasks"]["classify"]["labels"] == "open"
    assert (row["origin"], row["state"], row["pulled"]) == ("plugin", "ready", True)


def test_task_narrows_the_list(plugins: Any, metier: Any) -> None:
    plugins.write("acme", plugins.card("acme-keywords"), plugins.card("acme-letters", "histogram"))
    assert [row["id"] for row in metier("models", "--task", "embed", "--json").json] == ["acme-letters"]


def test_an_unknown_task_is_bad_usage(plugins: Any, metier: Any) -> None:
    ran = metier("models", "--task", "clasify")
    assert ran.code == 2
    assert "perhaps 'classify'" in ran.err


def test_a_missing_extra_shows_the_line_that_installs_it(plugins: Any, metier: Any) -> None:
    plugins.write("acme", plugins.card("acme-keywords"), requires=["no_such_module"], extra="big")
    assert 'available: pip install "metier-acme[big]"' in metier("models").out


def test_imports_no_plugin(plugins: Any, metier: Any) -> None:
    plugins.write("acme", plugins.card("acme-keywords"), code="raise RuntimeError")
    assert metier("models").code == 0
    assert plugins.imported() == []


def test_a_broken_settings_file_is_named(plugins: Any, metier: Any, settings_file: Any) -> None:
    path = settings_file({"device": "auto"})
    path.write_text("device = ", encoding="utf-8")
    ran = metier("models")
    assert ran.code == 1
    assert str(path) in ran.err


def test_a_remote_model_tells_whether_its_key_is_set(plugins: Any, metier: Any, monkeypatch: Any) -> None:
    far = {"source": "https://example.org/v1", "key_env": "FAR_KEY"}
    plugins.write("acme", plugins.card("acme/far", **far), plugins.card("acme/open", source="https://example.org/v1"))
    monkeypatch.delenv("FAR_KEY", raising=False)
    assert "remote, FAR_KEY is not set" in metier("models").out
    assert {row["id"]: row["key_set"] for row in metier("models", "--json").json} == {
        "acme/far": False,
        "acme/open": None,
    }
    monkeypatch.setenv("FAR_KEY", "s3cret")
    ran = metier("models")
    assert "is not set" not in ran.out
    assert "s3cret" not in ran.out + metier("models", "--json").out
    assert metier("models", "--json").json[0]["key_set"] is True
