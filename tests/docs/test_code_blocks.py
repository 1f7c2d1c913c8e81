"""Every code block of the docs is run, in the order of its page, in a folder of its own.

- A block with `title="NAME"` is written to that file.
- Python blocks of a page share one namespace. A `text` block right below one is what it prints.
- A `console` block holds commands behind `$ `, and what they print; a `bash` block holds commands alone. They may be
  `metier`, `python`, `pip install`, or a script of this tree, which is only looked for.
- In what is printed, `...` stands for anything.
- TOML and JSON are parsed.
- `<!-- not run: REASON -->` above a block excuses it.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
import types
from dataclasses import dataclass, replace
from importlib.metadata import metadata
from pathlib import Path

import pytest
from metier.cli import app
from packaging.requirements import Requirement
from typer.testing import CliRunner

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted(
    {ROOT / "README.md", ROOT / "CONTRIBUTING.md"}.union(
        ROOT.glob("docs/**/*.md"), ROOT.glob("plugins/*/README.md"), ROOT.glob("examples/*/README.md")
    )
)
BLOCK = re.compile(
    r'^(?:<!-- not run: (?P<excuse>\S.*?) -->\n+)?```(?P<language>\w*)(?: title="(?P<title>\S+)")?\n'
    r"(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
ELLIPSIS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    language: str
    title: str | None
    text: str
    line: int
    excuse: str | None = None
    output: str = ""


def blocks_of(markdown: str) -> list[Block]:
    """Return the blocks of a page; one that is the output of a Python block goes with it."""
    blocks: list[Block] = []
    end = 0
    for m in BLOCK.finditer(markdown):
        line = markdown.count("\n", 0, m.start("text"))
        if (
            m["language"] == "text"
            and blocks
            and blocks[-1].language == "python"
            and not markdown[end : m.start()].strip()
        ):
            blocks[-1] = replace(blocks[-1], output=m["text"])
        else:
            blocks.append(Block(m["language"], m["title"], m["text"], line, m["excuse"]))
        end = m.end()
    return blocks


def check_output(want: str, got: str, where: str) -> None:
    if want.strip() and not doctest.OutputChecker().check_output(want, got, ELLIPSIS):
        pytest.fail(f"{where} prints otherwise\nexpected:\n{want}\ngot:\n{got}", pytrace=False)


class Page:
    """One page's namespace, folder, and installed packages."""

    def __init__(self, path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path
        self.folder = folder
        self.monkeypatch = monkeypatch
        self.module = types.ModuleType("page")
        monkeypatch.setitem(sys.modules, "page", self.module)

    def run(self, block: Block) -> None:
        where = f"{self.path.relative_to(ROOT)}:{block.line}"
        if block.excuse:
            return
        if block.title:
            file = self.folder / block.title
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            self.run_python(block, where)
        elif block.language == "console":
            for command, output in sessions_of(block.text):
                self.run_command(command, output, f"{where} `{command}`")
        elif block.language == "bash":
            for command in filter(None, block.text.splitlines()):
                self.run_command(command, "", f"{where} `{command}`")
        elif block.language == "toml":
            tomllib.loads(block.text)
        elif block.language == "json":
            json.loads(block.text)
        elif block.language != "text":
            pytest.fail(f"{where}: a block in {block.language!r} is neither run nor excused", pytrace=False)

    def run_python(self, block: Block, where: str) -> None:
        # The empty lines before it give tracebacks the page's own line numbers.
        code = compile("\n" * block.line + block.text, str(self.path), "exec", dont_inherit=True)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, self.module.__dict__)
        check_output(block.output, printed.getvalue(), where)

    def run_command(self, command: str, wanted: str, where: str) -> None:
        program, *arguments = shlex.split(command, comments=True)
        if program == "metier":
            result = CliRunner().invoke(app, arguments, catch_exceptions=False)
            status, printed = result.exit_code, result.stdout or result.stderr
        elif program == "python":
            done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
            status, printed = done.returncode, done.stdout or done.stderr
        elif [program, *arguments] == ["pip", "install", "."]:
            status, printed = self.install()
        elif [program, *arguments[:-1]] == ["pip", "install"]:
            status, printed = check_requirement(arguments[-1])
        elif program.startswith("scripts/"):
            status, printed = (0, "") if os.access(ROOT / program, os.X_OK) else (1, "there is no such script")
        else:
            pytest.fail(f"{where} is neither run nor excused", pytrace=False)
        if status != 0 and not wanted.strip():
            pytest.fail(f"{where} ends with status {status}\n{printed}", pytrace=False)
        check_output(wanted, printed, where)

    def install(self) -> tuple[int, str]:
        """Install the page's own distribution where only this page sees it."""
        site = str(self.folder / "site-packages")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
        done = subprocess.run([*pip, "--target", site, "."], capture_output=True, text=True, check=False)
        self.monkeypatch.syspath_prepend(site)
        self.monkeypatch.setenv("PYTHONPATH", site, prepend=os.pathsep)
        return done.returncode, done.stderr


def sessions_of(text: str) -> list[tuple[str, str]]:
    """Return each command of a console with what it prints."""
    sessions = re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]
    return [(session.partition("\n")[0], session.partition("\n")[2]) for session in sessions]


def check_requirement(text: str) -> tuple[int, str]:
    """Check the extras of a `pip install "metier[...]"`, which the environment of the tests has already."""
    requirement = Requirement(text)
    known = set(metadata("metier").get_all("Provides-Extra", []))
    return (0, "") if requirement.name == "metier" and requirement.extras <= known else (1, f"no such extra in {known}")


@pytest.fixture
def page_folder(tmp_path, monkeypatch):
    """An empty working folder without settings or fitted models; pulled weights are those of the user."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("METIER_CONFIG_HOME", str(tmp_path / ".config"))
    monkeypatch.setenv("METIER_DATA", str(tmp_path / ".data"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_blocks_run(path, page_folder, monkeypatch):
    page = Page(path, page_folder, monkeypatch)
    for block in blocks_of(path.read_text(encoding="utf-8")):
        page.run(block)


class TestTheRunnerItself:
    def test_finds_each_fence(self):
        for path in PAGES:
            text = path.read_text(encoding="utf-8")
            assert len(re.findall(r"^ *```", text, re.MULTILINE)) == 2 * len(BLOCK.findall(text)), path

    def test_knows_what_a_block_prints(self):
        [block] = blocks_of("```python\nprint(1)\n```\n\n```text\n1\n```\n")
        assert block.output == "1\n"

    def test_fails_where_code_fails(self, page_folder, monkeypatch):
        page = Page(PAGES[0], page_folder, monkeypatch)
        with pytest.raises(ZeroDivisionError):
            page.run(Block("python", None, "1 / 0\n", 3))

    def test_fails_where_the_output_differs(self, page_folder, monkeypatch):
        page = Page(PAGES[0], page_folder, monkeypatch)
        with pytest.raises(pytest.fail.Exception, match="prints otherwise"):
            page.run(Block("python", None, "print(1)\n", 3, output="2\n"))

    def test_fails_where_a_command_is_not_known(self, page_folder, monkeypatch):
        page = Page(PAGES[0], page_folder, monkeypatch)
        with pytest.raises(pytest.fail.Exception, match="neither run nor excused"):
            page.run(Block("console", None, "$ rm -r /\n", 3))
