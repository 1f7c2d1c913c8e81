"""What `metier plugin new` writes installs, passes its own tests and answers from the command line, untouched.

Each template has a clean environment: what its plugins declare is there, and nothing else.
"""

import json
import subprocess
import sys
import sysconfig
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import tomli_w
from metier.scaffold.project import new_plugin, templates

from tests.packaging.conftest import run, scripts_of, succeed
from tests.support.environments import clean_environment
from tests.support.once import once

COMBINATIONS = [(template, task) for template, tasks in templates().items() for task in tasks]
TEXT = "Write to ada@example.org: where is the lamp?"
ALIKE = [("transformers", "classify"), ("transformers", "embed")]  # to extract, and each takes ten seconds
COMMANDS = [
    ("classic", "classify", ("--text", TEXT)),
    ("remote", "generate", ("--prompt", TEXT)),
    ("torch", "forecast", ("--csv", "sales.csv", "--horizon", "3")),
    ("transformers", "extract", ("--text", TEXT)),
]


def name_of(template, task):
    return f"acme-{template}-{task}"


@pytest.fixture(scope="session")
def projects(tmp_path_factory):
    """The folder of one new project for each template and task."""

    def write(folder):
        for template, task in COMBINATIONS:
            new_plugin(name_of(template, task), task, template, folder)

    return once(tmp_path_factory, "projects", write)


@pytest.fixture
def python(wheel, projects, tmp_path_factory, template):
    """The Python of a clean environment with metier and a template's plugins."""
    own = [projects / name_of(*one) for one in COMBINATIONS if one[0] == template]
    folder = once(tmp_path_factory, template, lambda folder: install(folder, wheel, *own))
    return scripts_of(folder / "venv") / "python"


def install(folder, wheel, *projects):
    """Make an environment in a folder that holds metier, projects and what these declare; return its Python."""
    build = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation")
    succeed(*build, "--wheel-dir", folder, *projects, cwd=folder)
    declared = [f"{project.name}[dev]" for project in projects]
    return clean_environment(folder / "venv", declared, [wheel, *folder.glob("*.whl")])


@pytest.fixture
def settings(tmp_path):
    """Variables of an empty home for metier, and nothing of the Hub."""
    (tmp_path / "config").mkdir()
    homes = {f"METIER_{name}": str(tmp_path / name.lower()) for name in ("DATA", "CACHE")}
    return {**homes, "METIER_CONFIG_HOME": str(tmp_path / "config"), "HF_HUB_OFFLINE": "1"}


@pytest.mark.parametrize(("template", "task"), [one for one in COMBINATIONS if one not in ALIKE])
def test_its_own_tests_pass(projects, python, settings, template, task):
    done = run(python, "-m", "pytest", "-q", cwd=projects / name_of(template, task), **settings)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout


def test_they_fail_where_a_requirement_is_not_declared(wheel, settings, tmp_path):
    project = new_plugin("acme-careless", "forecast", "torch", tmp_path)
    declared = (project / "pyproject.toml").read_text(encoding="utf-8")
    without = declared.replace('"safetensors>=0.5", ', "")
    assert without != declared
    (project / "pyproject.toml").write_text(without, encoding="utf-8")
    (folder := tmp_path / "environment").mkdir()
    done = run(install(folder, wheel, project), "-m", "pytest", "-q", cwd=project, **settings)
    assert done.returncode != 0
    assert "No module named 'safetensors'" in done.stdout


@pytest.mark.parametrize(("template", "task", "flags"), COMMANDS)
def test_it_answers_from_the_command_line(projects, python, settings, tmp_path, template, task, flags):
    name = name_of(template, task)
    (tmp_path / "sales.csv").write_text("sales\n" + "\n".join(map(str, range(24))), encoding="utf-8")
    with ExitStack() as stack:
        if template == "remote":
            address = stack.enter_context(service(python, projects / name))
            key = f"{name.replace('-', '_').upper()}_API_KEY"
            write_card(settings, name, source=address, key_env=key, tasks={task: {}})
            settings |= {key: "secret", "METIER_PRIVACY": "any"}
        elif template == "transformers":  # the checkpoint on its own card lies on the Hub
            make = "import sys, pathlib, checkpoints; checkpoints.make(pathlib.Path(sys.argv[1]))"
            folder = tmp_path / "small"
            folder.mkdir()
            succeed(python, "-c", make, folder, cwd=tmp_path, PYTHONPATH=str(projects / name / "tests"))
            write_card(settings, name, source=f"path:{folder}", tasks={task: {"labels": ["LOC", "PER"]}})
        command = (python, "-m", "metier", "run", task, "--model", name, *flags, "--json")
        told = succeed(*command, cwd=tmp_path, **settings)
    provenance = json.loads(told)["provenance"]
    assert (provenance["model"], provenance["plugin"], provenance["plugin_version"]) == (name, name, "0.1.0")


def write_card(settings, name, **fields):
    card = {"id": name, "plugin": name, "architecture": "mlm", "licence": "MIT", **fields}
    file = Path(settings["METIER_CONFIG_HOME"]) / "metier.toml"
    file.write_text(tomli_w.dumps({"cards": [card]}), encoding="utf-8")


@contextmanager
def service(python, project):
    """Run the service that stands in for the real one, on a free port; yield its address."""
    command = [python, "-u", project / "tests/service.py", "0"]
    with subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().split()[2].rstrip(",")
        finally:
            process.terminate()


def lint(folder):
    ruff = Path(sysconfig.get_path("scripts")) / "ruff"
    succeed(ruff, "format", "--no-cache", "--check", folder, cwd=folder)
    succeed(ruff, "check", "--no-cache", folder, cwd=folder)


def test_the_linter_has_nothing_to_say(projects):
    lint(projects)


def test_nor_where_the_name_is_long(tmp_path):
    for template, task in dict(COMBINATIONS).items():  # a task of each template
        new_plugin("an-example-whose-name-is-as-long-as-ever", task, template, tmp_path / template)
    lint(tmp_path)


def test_mypy_has_nothing_to_say(projects, tmp_path):
    for template, task, _ in COMMANDS:
        command = (sys.executable, "-m", "mypy", "--cache-dir", tmp_path / "cache")
        succeed(*command, cwd=projects / name_of(template, task))
