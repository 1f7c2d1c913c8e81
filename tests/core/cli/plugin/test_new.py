import pytest
from metier.cli import app
from metier.scaffold.project import templates
from typer.testing import CliRunner


def run(*arguments):
    return CliRunner().invoke(app, ["plugin", "new", *arguments])


def test_it_says_what_it_wrote_and_what_comes_next(tmp_path):
    done = run("acme-shout", "--into", str(tmp_path), "--author", "Ada Lovelace")
    assert done.exit_code == 0, done.output
    assert f"wrote {tmp_path / 'acme-shout'}" in done.stdout
    assert "pytest" in done.stdout
    assert "Ada Lovelace" in (tmp_path / "acme-shout/LICENSE").read_text(encoding="utf-8")


def test_it_writes_into_the_working_folder_a_classic_classifier(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("acme-shout").exit_code == 0
    assert "[models.tasks.classify]" in (tmp_path / "acme-shout/src/acme_shout/metier-plugin.toml").read_text()


@pytest.mark.parametrize("flags", [("--template", "rust"), ("--task", "segment"), ("--task", "no")])
def test_bad_words_are_bad_usage(tmp_path, flags):
    done = run("acme-shout", "--into", str(tmp_path), *flags)
    assert done.exit_code == 2
    assert "expected: c" in done.stderr


def test_help_names_the_templates():
    assert all(name in run("--help").stdout for name in templates())
