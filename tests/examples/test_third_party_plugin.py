"""The plugin of the examples, built and installed as a user would, in an environment with nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
import pytest

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "examples" / "third_party_plugin"
Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Installed:
    """An environment with the plugin and its extra.

    `run`: runs a program of it. `bare`: what some commands said before the extra was installed.
    """

    run: Callable[..., Done]
    bare: dict[str, Done]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn page."""
    picture = PIL.Image.new("RGB", (480, 120), "white")
    PIL.ImageDraw.Draw(picture).text((30, 40), "Invoice no. 2041", "black", PIL.ImageFont.load_default(size=30))
    path = tmp_path_factory.mktemp("pictures") / "page.png"
    picture.save(path)
    return path


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, page: Path) -> Installed:
    folder = tmp_path_factory.mktemp("environment")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"METIER_DATA": str(folder / "data"), "METIER_CONFIG_HOME": str(folder / "config")}

    def run(program: str | Path, *words: str | Path) -> Done:
        command = [str(folder / "venv" / "bin" / program), *map(str, words)]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    def install(*what: str) -> None:
        done = run("python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *what)
        assert done.returncode == 0, done.stderr

    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    install(str(ROOT), str(PLUGIN))
    bare = {
        "doctor": run("metier", "doctor", "--json"),
        "help": run("metier", "run", "--help"),
        "run": run("metier", "run", "ocr", "--image", page),
    }
    install(f"{PLUGIN}[rapidocr]", "pytest")
    return Installed(run, bare)


def plugin_of(done: Done) -> Any:
    return next(row for row in json.loads(done.stdout)["plugins"] if row["name"] == "ocr")


class TestWithoutItsExtra:
    def test_the_task_is_there_and_the_model_says_what_it_lacks(self, installed: Installed) -> None:
        doctor = installed.bare["doctor"]
        assert doctor.returncode == 0, doctor.stderr
        told = plugin_of(doctor)
        assert (told["state"], told["tasks"]) == ("available", ["ocr"])
        assert told["fix"] == 'pip install "acme-ocr[rapidocr]"'

    def test_help_lists_the_task(self, installed: Installed) -> None:
        assert "Read the text in a picture." in installed.bare["help"].stdout

    def test_running_it_tells_how_to_install_it(self, installed: Installed) -> None:
        done = installed.bare["run"]
        assert done.returncode == 1
        assert 'pip install "acme-ocr[rapidocr]"' in done.stderr


class TestInstalled:
    def test_doctor_finds_no_fault(self, installed: Installed) -> None:
        done = installed.run("metier", "doctor", "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        assert plugin_of(done)["state"] == "ready"
        assert installed.run("python", "-m", "pip", "check").returncode == 0

    def test_it_reads_and_once_pulled_needs_no_network(self, installed: Installed, page: Path) -> None:
        pulled = installed.run("metier", "pull", "pp-ocrv6-small")
        assert pulled.returncode == 0, pulled.stderr
        done = installed.run("metier", "run", "ocr", "--image", page, "--offline", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["text"] == "Invoice no. 2041"

    def test_listing_and_deciding_import_no_model(self, installed: Installed) -> None:
        code = (
            "import sys; from metier import Runtime\n"
            "with Runtime() as rt: print(rt.decide('ocr').chosen.model, 'onnxruntime' in sys.modules)"
        )
        done = installed.run("python", "-W", "error", "-c", code)
        assert done.stdout == "pp-ocrv6-small False\n", done.stderr

    def test_the_kit_finds_no_fault(self, installed: Installed) -> None:
        done = installed.run("metier", "plugin", "check", "acme-ocr", "--model", "pp-ocrv6-small", "--json", "kit.json")
        assert done.returncode == 0, done.stdout + done.stderr

    def test_its_own_tests_pass(self, installed: Installed) -> None:
        done = installed.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", PLUGIN / "tests")
        assert done.returncode == 0, done.stdout + done.stderr
