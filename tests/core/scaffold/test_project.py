"""What is written, and what is refused. That it works is tested in tests/packaging/test_scaffold.py."""

import sys
import tomllib

import pytest
from metier.scaffold.project import TEMPLATES, new_plugin, templates
from metier_contracts import TASKS, ConfigError, InputError, StorageError, read_manifest

COMBINATIONS = [(template, task) for template, tasks in templates().items() for task in tasks]


@pytest.fixture
def into(tmp_path):
    """An empty folder."""
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


def written(into, template="classic", task="classify", name="acme-shout", **settings):
    return new_plugin(name, task, template, into, **settings)


def test_the_templates_and_their_tasks():
    found = templates()
    assert sorted(found) == ["classic", "remote", "torch", "transformers"]
    assert all("classify" in tasks and set(tasks) <= TASKS.keys() for tasks in found.values())


@pytest.mark.parametrize(("template", "task"), COMBINATIONS)
def test_each_is_a_whole_distribution(into, template, task):
    folder = written(into, template, task, author='Ada "Countess" Lovelace')
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    package = {f"src/acme_shout/{name}" for name in ("__init__.py", "py.typed", "plugin.py", "metier-plugin.toml")}
    tests = {"tests/conftest.py", "tests/test_model.py"}
    around = {"pyproject.toml", "README.md", "LICENSE", ".gitignore", ".github/workflows/test.yml"}
    assert package | tests | around <= files
    assert [name for name in files if "{" in name or name.endswith(".jinja")] == []
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["authors"] == [{"name": 'Ada "Countess" Lovelace'}]
    manifest = read_manifest(folder / "src/acme_shout/metier-plugin.toml")
    assert manifest.name in project["entry-points"]["metier.plugins"]
    assert manifest.extra is None or manifest.extra in project["optional-dependencies"]
    [card] = manifest.models
    assert (card.id, set(card.tasks)) == ("acme-shout", {task})


def test_two_templates_of_a_task_share_what_does_not_differ(into):
    classic, torch = (written(into / template, template) for template in ("classic", "torch"))
    assert (classic / "src/acme_shout/examples.csv").read_bytes() == (
        torch / "src/acme_shout/examples.csv"
    ).read_bytes()


def test_nothing_but_the_folder_is_left(into):
    assert written(into / "new" / "deep") == into / "new" / "deep" / "acme-shout"
    assert [path.name for path in (into / "new" / "deep").iterdir()] == ["acme-shout"]


def test_an_empty_folder_is_filled(into):
    (into / "acme-shout").mkdir()
    assert (written(into) / "pyproject.toml").is_file()


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_nothing_is_written_over(into, kind):
    there = into / "acme-shout"
    if kind == "folder":
        there.mkdir()
        (there / "mine").touch()
    else:
        there.touch()
    with pytest.raises(InputError, match="is there already") as caught:
        written(into)
    assert kind in caught.value.got


def test_a_template_that_does_not_exist(into):
    with pytest.raises(InputError) as caught:
        written(into, "rust")
    assert caught.value.expected == "classic, remote, torch, transformers"


def test_a_task_that_the_template_is_not_written_for(into):
    with pytest.raises(InputError) as caught:
        written(into, "transformers", "forecast")
    assert caught.value.expected == "classify, embed, extract, generate"
    assert caught.value.hint == "--template classic --task forecast"
    assert list(into.iterdir()) == []


def test_a_task_that_no_template_is_written_for(into):
    with pytest.raises(InputError) as caught:
        written(into, task="segment")
    assert caught.value.hint is None


def test_a_name_that_is_none(into):
    with pytest.raises(InputError, match="cannot be called"):
        written(into, name="Acme")


def test_without_copier_the_line_to_type_is_said_and_nothing_written(into, monkeypatch):
    monkeypatch.setitem(sys.modules, "copier", None)
    with pytest.raises(ConfigError) as caught:
        written(into)
    assert caught.value.hint == 'pip install "metier[author]"'
    assert list(into.iterdir()) == []


def test_a_folder_that_cannot_be_written(into):
    (into / "file").touch()
    with pytest.raises(StorageError) as caught:
        written(into / "file" / "below")
    assert caught.value.blame == "--into"


def test_the_users_settings_of_copier_have_no_say(into, monkeypatch):
    settings = into / "settings.yml"
    settings.write_text("defaults:\n  module: other\n", encoding="utf-8")
    monkeypatch.setenv("COPIER_SETTINGS_PATH", str(settings))
    assert (written(into) / "src/acme_shout/plugin.py").is_file()


def test_no_template_names_a_python_file_that_tools_would_read():
    """Files of templates are no code of ours: the linter and mypy see them once they are written."""
    assert list(TEMPLATES.rglob("*.py")) == []
