from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest
from metier.paths import environments_folder, fitted_folder, project_config_file, user_config_file


def test_variables_move_the_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METIER_CONFIG_HOME", str(tmp_path / "a"))
    monkeypatch.setenv("METIER_DATA", str(tmp_path / "b"))
    assert user_config_file() == tmp_path / "a" / "metier.toml"
    assert fitted_folder() == tmp_path / "b" / "fitted"
    assert environments_folder() == tmp_path / "b" / "environments"


@pytest.mark.parametrize("value", [None, ""])
def test_without_a_variable_the_platform_decides(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("METIER_CONFIG_HOME", "METIER_DATA"):
        monkeypatch.delenv(variable)
        if value is not None:
            monkeypatch.setenv(variable, value)
    assert user_config_file() == Path(platformdirs.user_config_dir("metier")) / "metier.toml"
    assert fitted_folder() == Path(platformdirs.user_data_dir("metier")) / "fitted"


def test_folders_are_absolute_so_that_cards_may_hold_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METIER_DATA", "data")
    assert fitted_folder() == Path.cwd() / "data" / "fitted"
    monkeypatch.setenv("METIER_DATA", "~/data")
    assert fitted_folder() == Path.home() / "data" / "fitted"


def test_the_nearest_project_file_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "project"
    inner = project / "src" / "deep"
    inner.mkdir(parents=True)
    assert project_config_file(inner) is None
    (project / "metier.toml").touch()
    assert project_config_file(inner) == project / "metier.toml"
    (inner.parent / "metier.toml").touch()
    assert project_config_file(inner) == inner.parent / "metier.toml"
    (inner / "metier.toml").mkdir()  # a folder of that name is no file
    assert project_config_file(inner) == inner.parent / "metier.toml"
    monkeypatch.chdir(inner)
    assert project_config_file() == inner.parent / "metier.toml"
