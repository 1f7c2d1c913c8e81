"""Plugins of environments of their own are found by files alone; here an environment is a folder and its file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from metier import Runtime, __version__
from metier.config import Config
from metier.doctor.plugins import examine
from metier.environments import Environment, environments
from metier.environments.environment import file_of
from metier.environments.making import metier_requirement, remove_environment
from metier.isolation import protection
from metier.plugins import PluginRecord, discover
from metier_contracts import Classify, ConfigError

Isolate = Callable[..., Environment]


@pytest.fixture
def isolate(plugins: Any, tmp_path: Path) -> Isolate:
    """Writes a plugin into a folder that stands for the environment of its package."""
    here = plugins.site

    def write(name: str = "acme", *cards: Any, fields: dict[str, Any] | None = None, **options: Any) -> Environment:
        folder = tmp_path / "data" / "environments" / f"{name}-x"
        plugins.site = folder / "site"
        try:
            plugins.write(name, *(cards or [plugins.card(f"{name}/there")]), **options)
        finally:
            plugins.site = here
        python = folder / "bin" / "python"
        python.parent.mkdir(parents=True, exist_ok=True)
        python.symlink_to(sys.executable)
        (folder / "pyvenv.cfg").touch()
        package = options.get("package", f"metier-{name}")
        values = {
            "package": package,
            "requirement": package,
            "plugins": (name,),
            "folder": folder,
            "path": (str(folder / "site"), *sys.path),
            "metier": __version__,
        }
        made = Environment(**{**values, **(fields or {})})
        file_of(package).write_text(made.to_json())
        return made

    return write


def only() -> PluginRecord:
    (record,) = discover()
    return record


def test_a_plugin_is_found_where_it_is_installed(isolate: Isolate, plugins: Any) -> None:
    made = isolate()
    record = only()
    assert (record.name, record.version, record.state, record.environment) == ("acme", "1.2.3", "ready", made)
    assert plugins.imported() == []
    assert environments() == [made]


def test_what_it_requires_is_looked_for_there(isolate: Isolate, plugins: Any) -> None:
    plugins.write("here")
    made = isolate(requires=["metier_here"])
    file_of(made.package).write_text(made.replaced(path=(str(made.folder / "site"),)).to_json())
    record = next(record for record in discover() if record.name == "acme")
    assert record.state == "quarantined"
    assert record.cause == "missing dependency: metier_here"
    assert record.fix == f"pip --python {made.folder} install metier_here"


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"metier": "0.0.1"}, f"its environment has metier 0.0.1, this is {__version__}"),
        ({"folder": Path("/no/such/folder")}, "its interpreter is gone: /no/such/folder/bin/python"),
        ({"path": ()}, "its distribution is gone from its environment"),
    ],
)
def test_one_that_has_decayed_says_how_to_make_it_anew(isolate: Isolate, fields: dict[str, Any], cause: str) -> None:
    isolate(fields=fields)
    record = only()
    assert (record.state, record.cause) == ("quarantined", cause)
    assert record.fix == "metier plugin install metier-acme --isolated"


def test_a_wrong_contract_is_seen_by_the_manifest(isolate: Isolate) -> None:
    made = isolate(contract="99.0")
    assert only().cause.startswith("wrong contract version: it was written for 99.0")
    made = isolate("other", contract="0.1")
    record = next(record for record in discover() if record.name == "other")
    assert record.fix == f"pip --python {made.folder} install --upgrade metier-other"


def test_a_file_that_cannot_be_read_is_data(isolate: Isolate) -> None:
    isolate()
    isolate("other")
    file_of("metier-other").write_text("{")
    broken = next(record for record in discover() if record.name == "metier-other")
    assert broken.state == "quarantined"
    assert "cannot be read" in broken.cause
    assert broken.fix == "metier plugin uninstall metier-other"
    assert remove_environment("metier_other")
    assert only().name == "acme"


def test_of_two_the_one_here_is_kept_unless_the_setting_says_venv(isolate: Isolate, plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/there"))
    made = isolate()

    def kept(**isolation: str) -> list[tuple[bool, str]]:
        return [(record.environment == made, record.fix) for record in discover(isolation) if record.cause]

    assert kept() == kept(acme="process") == [(True, "metier plugin uninstall metier-acme")]
    assert kept(acme="venv") == []
    assert [record.environment for record in discover({"acme": "venv"})] == [made]


def test_what_lacks_its_requirements_here_gives_way_to_the_same_package_alone(isolate: Isolate, plugins: Any) -> None:
    made = isolate()
    plugins.write("acme", requires=["no_such_module"])
    assert only().environment == made
    file_of(made.package).write_text(made.replaced(plugins=("other",)).to_json())
    assert {record.state for record in discover()} == {"quarantined"}


def test_one_that_lacks_its_extra_here_gives_way(isolate: Isolate, plugins: Any) -> None:
    plugins.write("acme", extra="all", requires=["no_such_module"])
    made = isolate()
    assert only().environment == made


def test_where_it_runs(isolate: Isolate) -> None:
    isolate()
    assert protection(only(), Config()) == "venv"
    assert protection(only(), Config(isolation={"*": "process"})) == "venv"


@pytest.mark.parametrize("where", ["inproc", "process"])
def test_it_cannot_be_set_to_run_here(isolate: Isolate, where: str) -> None:
    isolate()
    with Runtime(config={"isolation": {"acme": where}}) as runtime, pytest.raises(ConfigError) as caught:
        runtime.run(Classify(text="a", labels=["a", "b"]), model="acme/there")
    assert caught.value.got == f'"{where}"'
    assert "metier plugin install metier-acme" in str(caught.value.hint)


def test_one_that_is_here_cannot_be_set_to_run_there(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/here"))
    with Runtime(config={"isolation": {"acme": "venv"}}) as runtime, pytest.raises(ConfigError) as caught:
        runtime.run(Classify(text="a", labels=["a", "b"]), model="acme/here")
    assert caught.value.hint == "metier plugin install metier-acme --isolated"


def test_the_doctor_imports_it_there(isolate: Isolate) -> None:
    made = isolate(code="import no_such_module")
    (record,) = examine()
    assert record.state == "quarantined"
    assert record.fix == f"pip --python {made.folder} install no_such_module"


def test_the_doctor_survives_an_interpreter_that_does_not_start(isolate: Isolate) -> None:
    made = isolate()
    made.python.unlink()
    made.python.touch()
    (record,) = examine()
    assert (record.state, record.fix) == ("quarantined", made.renewal)
    assert record.cause.startswith("its interpreter does not start: ")


ORIGINS = [
    (None, f"metier[mlm]=={__version__}"),
    ('{"url": "file:///no/such/place", "dir_info": {}}', f"metier[mlm]=={__version__}"),
    ('{"url": "file:///", "dir_info": {"editable": true}}', "--editable=/[mlm]"),
    ('{"url": "file:///", "dir_info": {}}', "metier[mlm] @ file:///"),
    ('{"url": "https://x.org/m.whl", "archive_info": {}}', "metier[mlm] @ https://x.org/m.whl"),
    (
        '{"url": "https://x.org/m", "vcs_info": {"vcs": "git", "commit_id": "ab"}, "subdirectory": "py"}',
        "metier[mlm] @ git+https://x.org/m@ab#subdirectory=py",
    ),
]


@pytest.mark.parametrize(("origin", "requirement"), ORIGINS)
def test_metier_comes_from_where_it_came(origin: str | None, requirement: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from metier.environments import making

    class Here:
        name, version = "metier", __version__

        @staticmethod
        def read_text(name: str) -> str | None:
            return origin if name == "direct_url.json" else None

    monkeypatch.setattr(making, "distribution", lambda name: Here)
    assert metier_requirement("[mlm]") == requirement
