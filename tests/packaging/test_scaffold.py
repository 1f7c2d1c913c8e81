"""What `metier plugin new` writes installs, passes its own tests and answers from the command line, untouched.

The plugins without a heavy library do so in a clean environment. torch and transformers are lent by the environment of
the tests: to install them takes over four minutes and 5.6 GB.
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
from tests.support.once import once

LIGHT = ("classic", "remote")
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


@pytest.fixture(scope="session")
def light(wheel, projects, tmp_path_factory):
    """A clean environment with metier, pytest and the plugins that need nothing heavy."""

    def make(folder):
        succeed(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
        python = scripts_of(folder / "venv") / "python"
        succeed(python, "-m", "pip", "install", "--quiet", wheel, "pytest", "hatchling", cwd=folder)
        own = [projects / name_of(template, task) for template, task in COMBINATIONS if template in LIGHT]
        succeed(python, "-m", "pip", "install", "--quiet", "--no-build-isolation", *own, cwd=folder)
        succeed(python, "-m", "pip", "check", cwd=folder)

    return once(tmp_path_factory, "light", make) / "venv"


@pytest.fixture(scope="session")
def heavy(wheel, projects, tmp_path_factory):
    """An environment with metier and the plugins on torch, which sees the libraries of the tests' environment."""

    def make(folder):
        succeed(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
        python = scripts_of(folder / "venv") / "python"
        site = sysconfig.get_path("purelib", vars={"base": str(folder / "venv")})
        (Path(site) / "lent.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
        own = [projects / name_of(template, task) for template, task in COMBINATIONS if template not in LIGHT]
        pip = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps")
        succeed(*pip, wheel, cwd=folder)
        succeed(*pip, "--no-build-isolation", *own, cwd=folder)

    return once(tmp_path_factory, "heavy", make) / "venv"


@pytest.fixture
def environment(request, template):
    """The environment of a template's plugins."""
    return request.getfixturevalue("light" if template in LIGHT else "heavy")


@pytest.fixture
def settings(tmp_path):
    """Variables of an empty home for metier, and nothing of the Hub."""
    (tmp_path / "config").mkdir()
    homes = {f"METIER_{name}": str(tmp_path / name.lower()) for name in ("DATA", "CACHE")}
    return {**homes, "METIER_CONFIG_HOME": str(tmp_path / "config"), "HF_HUB_OFFLINE": "1"}


@pytest.mark.parametrize(("template", "task"), [one for one in COMBINATIONS if one not in ALIKE])
def test_its_own_tests_pass(projects, environment, settings, template, task):
    project = projects / name_of(template, task)
    done = run(scripts_of(environment) / "python", "-m", "pytest", "-q", cwd=project, **settings)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout


@pytest.mark.parametrize(("template", "task", "flags"), COMMANDS)
def test_it_answers_from_the_command_line(projects, environment, settings, tmp_path, template, task, flags):
    name = name_of(template, task)
    python = scripts_of(environment) / "python"
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
    for template, task in COMBINATIONS:
        new_plugin("an-example-whose-name-is-as-long-as-ever", task, template, tmp_path / f"{template}-{task}")
    lint(tmp_path)


def test_mypy_has_nothing_to_say(projects, tmp_path):
    for template, task, _ in COMMANDS:
        command = (sys.executable, "-m", "mypy", "--cache-dir", tmp_path / "cache")
        succeed(*command, cwd=projects / name_of(template, task))
