"""Ill-typed pipelines are refused and well-typed ones accepted: by mypy, by pyright, and when they are built.

Both checkers see metier as a user does: as the built wheel in an environment of its own, not as this tree.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from metier_contracts import InputError, PipelineTypeError

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CORPORA = ("ill_typed", "well_typed")
Lines = dict[str, dict[int, str]]


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that holds the wheel, and this environment's libraries."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    (site,) = environment.glob("lib/python*/site-packages")
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(site)
    # A folder that is only named here is searched, and the .pth files in it, editable installs among them, are not.
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    python = environment / "bin" / "python"
    program = "import metier; print(metier.__file__)"
    shown = subprocess.run([python, "-c", program], capture_output=True, text=True, env=_outside(), check=True)
    assert Path(shown.stdout.strip()).is_relative_to(site), shown
    return python


def _outside() -> dict[str, str]:
    """The environment variables without those that lead to this tree."""
    return {key: value for key, value in os.environ.items() if key not in ("MYPYPATH", "PYTHONPATH")}


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copies of the corpora in a folder without any settings of ours."""
    folder = tmp_path_factory.mktemp("corpus")
    for name in (*CORPORA, "shared"):
        shutil.copy(HERE / f"{name}.py", folder)
    return folder


@pytest.fixture(scope="session", params=["mypy", "pyright"])
def checked(request: pytest.FixtureRequest, python: Path, corpus: Path) -> tuple[str, Lines, Lines]:
    """What a checker says: its name, and by file and line its errors and the types it reveals."""
    checker = str(request.param)
    return (checker, *(_mypy(python, corpus) if checker == "mypy" else _pyright(python, corpus)))


def _mypy(python: Path, corpus: Path) -> tuple[Lines, Lines]:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--python-executable", str(python), "."],
        cwd=corpus,
        env=_outside(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr + done.stdout
    found = re.findall(r"^(\w+)\.py:(\d+): (error|note): (.*)$", done.stdout, re.MULTILINE)
    return _by_line((file, int(line), kind, text) for file, line, kind, text in found)


def _pyright(python: Path, corpus: Path) -> tuple[Lines, Lines]:
    (corpus / "pyrightconfig.json").write_text(json.dumps({"typeCheckingMode": "standard"}))
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--pythonpath", str(python), "--outputjson"],
        cwd=corpus,
        env=_outside(),
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(done.stdout)["generalDiagnostics"]
    return _by_line(
        (Path(one["file"]).stem, one["range"]["start"]["line"] + 1, one["severity"], one["message"]) for one in found
    )


def _by_line(found: Iterator[tuple[str, int, str, str]]) -> tuple[Lines, Lines]:
    errors: Lines = {}
    reveals: Lines = {}
    for file, line, kind, text in found:
        if kind == "error":
            errors.setdefault(file, {})[line] = text
        elif match := re.search(r'Revealed type is "(.*)"|Type of ".*" is "(.*)"$', text, re.DOTALL):
            reveals.setdefault(file, {})[line] = _plain(match[1] or match[2])
    return errors, reveals


def _plain(text: str) -> str:
    """Return a type without its modules, and a union as `A | B`."""
    text = re.sub(r"\b(?:\w+\.)+(?=\w)", "", text).replace("`-1", "")
    text = re.sub(r"@\d+", "", text)
    text = re.sub(r"Union\[(\w+), (\w+)\]", r"\1 | \2", text)
    while "'] | Literal['" in text:
        text = text.replace("'] | Literal['", "', '")
    return text.replace('"', "'").replace("None | str", "str | None")


def _marked(name: str, mark: str) -> dict[int, str]:
    lines = (HERE / f"{name}.py").read_text(encoding="utf-8").splitlines()
    return {number: line.partition(mark)[2].strip() for number, line in enumerate(lines, 1) if mark in line}


def _expected_reveals(checker: str) -> dict[int, str]:
    own = {n: text.partition(" # R ")[0] for n, text in _marked("well_typed", f"# R {checker}: ").items()}
    return {**_marked("well_typed", "# R: "), **own}


def test_the_checker_flags_each_marked_line_and_no_other(checked: tuple[str, Lines, Lines]) -> None:
    _, errors, _ = checked
    flagged = errors.get("ill_typed", {})
    missed = set(_marked("ill_typed", "# E")) - set(flagged)
    stray = {line: text for line, text in flagged.items() if line not in _marked("ill_typed", "# E")}
    assert not missed, f"not flagged: {sorted(missed)}"
    assert not stray
    assert not errors.get("well_typed")
    assert not errors.get("shared")


def test_the_checker_infers_the_types_in_the_comments(checked: tuple[str, Lines, Lines]) -> None:
    checker, _, reveals = checked
    assert reveals["well_typed"] == _expected_reveals(checker)


@pytest.fixture(autouse=True)
def corpora_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HERE))


def cases(name: str) -> list[str]:
    return re.findall(r"^def (case_\w+)", (HERE / f"{name}.py").read_text(encoding="utf-8"), re.MULTILINE)


def _case(corpus: str, name: str) -> Callable[[], None]:
    module: ModuleType = import_module(corpus)
    return getattr(module, name)  # type: ignore[no-any-return]


@pytest.mark.parametrize("corpus_name", CORPORA)
def test_there_are_thirty_cases(corpus_name: str) -> None:
    assert len(set(cases(corpus_name))) >= 30


@pytest.mark.parametrize("name", cases("ill_typed"))
def test_an_ill_typed_case_is_refused_when_built(name: str) -> None:
    with pytest.raises((PipelineTypeError, InputError)) as raised:
        _case("ill_typed", name)()
    assert raised.value.expected
    assert raised.value.got


@pytest.mark.parametrize("name", cases("well_typed"))
def test_a_well_typed_case_is_built_and_run(name: str) -> None:
    _case("well_typed", name)()
