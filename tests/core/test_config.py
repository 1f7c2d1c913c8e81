from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from metier.config import Config, load_settings
from metier.paths import user_config_file
from metier_contracts import ConfigError, ModelCard

SettingsFile = Callable[..., Path]


def card(model: str = "mine/a", **fields: Any) -> dict[str, Any]:
    basis = {"id": model, "plugin": "acme", "architecture": "rule", "licence": "MIT", "tasks": {"classify": {}}}
    return {**basis, **fields}


def test_without_anything_the_defaults_hold() -> None:
    settings = load_settings()
    assert settings.config == Config()
    assert dict(settings.origins) == {}
    assert settings.rows() == [
        ("device", "auto", "default"),
        ("memory", None, "default"),
        ("privacy", "local", "default"),
        ("offline", False, "default"),
        ("strict", False, "default"),
        ("max_cost", None, "default"),
        ("cards", (), "default"),
        ("defaults", {}, "default"),
        ("grants", (), "default"),
        ("prices", {}, "default"),
        ("isolation", {}, "default"),
        ("worker_memory", None, "default"),
        ("load_timeout", 600.0, "default"),
        ("licence_policy", None, "default"),
        ("lock", None, "default"),
    ]


def test_each_layer_stands_over_the_one_before(settings_file: SettingsFile, monkeypatch: pytest.MonkeyPatch) -> None:
    user = settings_file({"device": "mps", "memory": "1GB", "privacy": "any", "strict": True, "offline": True})
    project = settings_file({"device": "cuda:1", "memory": "2GB", "privacy": "local"}, project=True)
    monkeypatch.setenv("METIER_MEMORY", "3GB")
    monkeypatch.setenv("METIER_DEVICE", "cpu")
    settings = load_settings(None, {"device": "cuda:0"})
    assert settings.rows() == [
        ("device", "cuda:0", "Runtime(device=...)"),
        ("memory", 3 * 10**9, "METIER_MEMORY"),
        ("privacy", "local", str(project)),
        ("offline", True, str(user)),
        ("strict", True, str(user)),
        ("max_cost", None, "default"),
        ("cards", (), "default"),
        ("defaults", {}, "default"),
        ("grants", (), "default"),
        ("prices", {}, "default"),
        ("isolation", {}, "default"),
        ("worker_memory", None, "default"),
        ("load_timeout", 600.0, "default"),
        ("licence_policy", None, "default"),
        ("lock", None, "default"),
    ]


def test_the_nearest_project_file_is_read(
    settings_file: SettingsFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings_file({"device": "mps"}, folder=tmp_path / "project")
    inner = tmp_path / "project" / "src"
    inner.mkdir()
    monkeypatch.chdir(inner)
    assert load_settings().config.device == "mps"
    settings_file({"device": "cpu"}, project=True)
    assert load_settings().config.device == "cpu"


def test_tables_and_lists_are_merged(settings_file: SettingsFile) -> None:
    user = settings_file(
        {
            "defaults": {"classify": "mine/a", "embed": "mine/e"},
            "isolation": {"*": "process", "mlm": "process"},
            "grants": ["mine/a"],
            "cards": [card("mine/a", summary="far"), card("mine/b")],
        }
    )
    project = settings_file(
        {
            "defaults": {"classify": "mine/c"},
            "isolation": {"mlm": "inproc"},
            "grants": ["mine/c"],
            "cards": [card("mine/a", summary="near"), card("mine/c")],
        },
        project=True,
    )
    settings = load_settings()
    assert settings.config.defaults == {"classify": "mine/c", "embed": "mine/e"}
    assert settings.config.isolation == {"*": "process", "mlm": "inproc"}
    assert settings.config.grants == ("mine/a", "mine/c")
    assert [(c.id, c.summary) for c in settings.config.cards] == [("mine/b", ""), ("mine/a", "near"), ("mine/c", "")]
    assert {settings.origins[name] for name in ("defaults", "grants", "cards")} == {f"{user}, {project}"}


def test_cards_from_toml_are_cards(settings_file: SettingsFile) -> None:
    path = user_config_file()
    path.parent.mkdir()
    path.write_text(
        """
        [[cards]]
        id = "mine/tickets"
        plugin = "acme"
        architecture = "rule"
        licence = "MIT"
        options = { kind = "keywords" }
        [cards.tasks.classify]
        labels = ["billing", "praise"]
        """
    )
    (found,) = load_settings().config.cards
    assert found == ModelCard.from_mapping(
        card("mine/tickets", options={"kind": "keywords"}, tasks={"classify": {"labels": ("billing", "praise")}})
    )


@pytest.mark.parametrize("make", [lambda data: data, lambda data: Config(**data)], ids=["mapping", "Config"])
def test_a_given_config_takes_the_place_of_the_files(
    make: Callable[[dict[str, Any]], Any], settings_file: SettingsFile
) -> None:
    settings_file({"strict": True})
    settings_file({"offline": True}, project=True)
    settings = load_settings(make({"memory": "1GB"}))
    assert settings.config == Config(memory=10**9)
    assert dict(settings.origins) == {"memory": "Runtime(config=...)"}


@pytest.mark.parametrize("kind", [str, Path])
def test_a_given_file_takes_the_place_of_the_files(kind: type, settings_file: SettingsFile, tmp_path: Path) -> None:
    settings_file({"strict": True})
    path = settings_file({"memory": 5000}, folder=tmp_path / "elsewhere")
    settings = load_settings(kind(path))
    assert settings.config == Config(memory=5000)
    assert dict(settings.origins) == {"memory": str(path)}


def test_the_environment_stands_over_a_given_config(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METIER_OFFLINE", "1")
    monkeypatch.setenv("METIER_STRICT", "true")
    monkeypatch.setenv("METIER_PRIVACY", "any")
    monkeypatch.setenv("METIER_DEVICE", "")  # set to nothing is not set
    settings = load_settings({"offline": False, "device": "mps"}, {"privacy": "local"})
    assert settings.config == Config(offline=True, strict=True, privacy="local", device="mps")
    assert settings.origins["offline"] == "METIER_OFFLINE"


def test_the_environment_is_read_at_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().config.offline is False
    monkeypatch.setenv("METIER_OFFLINE", "yes")
    assert load_settings().config.offline is True


def fails(*arguments: Any) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_settings(*arguments)
    return caught.value


def test_an_error_names_its_origin(settings_file: SettingsFile, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fails(None, {"memory": "lots"}).blame == "Runtime(memory=...)"
    assert fails({"memory": "lots"}).blame == "Runtime(config=...)"
    monkeypatch.setenv("METIER_MEMORY", "lots")
    assert fails().blame == "METIER_MEMORY"
    project = settings_file({"memory": "lots"}, project=True)
    assert fails().blame == str(project)
    user = settings_file({"memory": "lots"})
    assert fails().blame == str(user)


@pytest.mark.parametrize(
    ("data", "summary", "expected"),
    [
        ({"memory": "lots"}, "Config.memory", '"4GB" or "4GiB"'),
        ({"memory": "-4GB"}, "Config.memory", '"4GB" or "4GiB"'),
        ({"memory": 0}, "Config.memory", "above 0"),
        ({"memory": -5}, "Config.memory", "above 0"),
        ({"memory": 1.5}, "Config.memory", "whole number"),
        ({"privacy": "secret"}, "Config.privacy", "'local' or 'any'"),
        ({"offline": "perhaps"}, "Config.offline", "True or False"),
        ({"device": 3}, "Config.device", "a str"),
        ({"cards": [{"id": "mine/a"}]}, "Config.cards[0]", "required"),
        ({"cards": [card(tasks={})]}, "Config.cards[0]", "at least one table"),
        ({"cards": [card(source="ftp://x")]}, "Config.cards[0]", "a source that starts with"),
        ({"grants": "mine/a"}, "Config.grants", "list or tuple"),
        ({"defaults": ["mine/a"]}, "Config.defaults", "mapping"),
        ({"isolation": {"sam": "fork"}}, "Config.isolation.sam", "'inproc', 'process' or 'venv'"),
        ({"worker_memory": "much"}, "Config.worker_memory", "4GB"),
        ({"load_timeout": 0}, "Config.load_timeout", "above 0"),
    ],
)
def test_a_value_that_does_not_fit(data: dict[str, Any], summary: str, expected: str) -> None:
    error = fails(data)
    assert summary in error.summary
    assert expected in str(error.expected)
    assert error.got
    assert "metier doctor --config" in str(error.hint)


def test_an_unknown_setting_is_named_with_the_nearest(settings_file: SettingsFile) -> None:
    path = settings_file({"memmory": "4GB"})
    error = fails()
    assert error.summary == "no setting is named 'memmory'"
    assert error.expected == f"perhaps 'memory'; all are {', '.join(Config.model_fields)}"
    assert error.blame == str(path)
    assert fails({"zzz": 1}).expected == f"one of {', '.join(Config.model_fields)}"


def test_two_cards_of_one_id_in_one_place() -> None:
    error = fails({"cards": [card("mine/a"), card("mine/b"), card("mine/a")]})
    assert error.summary == "two cards have the id 'mine/a'"
    assert error.blame == "Runtime(config=...)"


@pytest.mark.parametrize(
    ("data", "got"),
    [
        (b"memory = ", "TOMLDecodeError"),
        (b"memory = 1\nmemory = 2", "TOMLDecodeError"),
        ('device = "é"'.encode("latin-1"), "UnicodeDecodeError"),
    ],
)
def test_a_file_that_is_no_toml(data: bytes, got: str, tmp_path: Path) -> None:
    path = tmp_path / "metier.toml"
    path.write_bytes(data)
    error = fails(path)
    assert got in str(error.got)
    assert error.blame == str(path)
    assert error.expected == "a TOML file in UTF-8"


def test_a_file_that_is_absent_or_a_folder(tmp_path: Path) -> None:
    assert "FileNotFoundError" in str(fails(tmp_path / "none.toml").got)
    assert "IsADirectoryError" in str(fails(tmp_path).got)


@pytest.mark.parametrize("source", [5, b"metier.toml", ["metier.toml"]])
def test_a_config_that_is_none(source: Any) -> None:
    error = fails(source)
    assert error.expected == "a path, a mapping or a Config"
    assert error.blame == "Runtime(config=...)"


def test_a_lock_is_looked_for_beside_the_settings_that_name_it(
    settings_file: SettingsFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings_file({"lock": "metier.lock"}, project=True)
    inner = tmp_path / "work" / "deep"
    inner.mkdir()
    monkeypatch.chdir(inner)
    assert load_settings().config.lock == str(tmp_path / "work" / "metier.lock")
