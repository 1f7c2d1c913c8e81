"""The example that tells sections of packages, run as a user runs it, and what it reads."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from metier import Runtime
from metier_contracts import Embed, GraphFit

from examples.package_sections.packages import Packages, extract, most_linked, read_index, sections_of

FOLDER = Path(__file__).parents[2] / "examples" / "package_sections"
INDEX = """Package: chess
Depends: libc6 (>= 2.34), chess-data | chess-art:any, ghost
Recommends: libc6
Section: games
Description: play chess
 Longer words about it.

Package: chess-data
Section: games
Description: pieces and boards

Package: chess-art
Section: games
Pre-Depends: chess-data (= 1)

Package: libc6
Section: libs
Description: the C library

Package: homeless
Description: no section
"""


def run(home: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, str(FOLDER / "main.py"), *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "METIER_DATA": str(home)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_index_is_read() -> None:
    packages = read_index(INDEX)
    assert packages.names == ("chess", "chess-data", "chess-art", "libc6")
    assert packages.texts == ("play chess", "pieces and boards", "", "the C library")
    assert packages.labels == ("games", "libs")
    assert packages.truth.tolist() == [0, 0, 0, 1]
    assert packages.links.T.tolist() == [[0, 1], [0, 2], [0, 3], [2, 1]]
    fewer = most_linked(packages, 3)
    assert fewer.names == ["chess", "chess-data", "chess-art"]
    assert fewer.links.T.tolist() == [[0, 1], [0, 2], [2, 1]]


def test_it_tells_sections_from_links_alone(tmp_path: Path) -> None:
    report = json.loads(run(tmp_path, "--json"))
    assert (report["packages"], report["known"], len(report["told"])) == (2000, 1000, 1000)
    assert report["accuracy"] > report["most_frequent"] + 0.15
    right = np.mean([section == told for _, section, told in report["told"]])
    assert report["accuracy"] == pytest.approx(right, abs=1e-3)


def test_the_table_for_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("METIER_DATA", str(tmp_path))
    monkeypatch.syspath_prepend(FOLDER)
    monkeypatch.delitem(sys.modules, "packages", raising=False)
    monkeypatch.setattr(sys, "argv", ["main.py", "--known", "500"])
    runpy.run_path(str(FOLDER / "main.py"), run_name="__main__")
    assert "right (most frequent section:" in capsys.readouterr().out


def test_two_plugins_in_one_pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the packages say what they are, and ask for one that does not."""
    monkeypatch.setenv("METIER_DATA", str(tmp_path))
    texts = [f"a {kind} number {i}" for i in range(20) for kind in ("game to play", "library of code")]
    packages = Packages(
        names=[f"p{i}" for i in range(80)],
        texts=[*texts, *["something"] * 40],
        sections=["games", "libs"] * 40,
        links=np.array([range(40), range(40, 80)]),
    )
    with Runtime() as runtime:
        vectors = runtime.run(Embed(texts=packages.texts), model="all-MiniLM-L6-v2").vectors
        request = GraphFit(
            id="mine/sections",
            graphs=[packages.graph(vectors)],
            indices=[*range(20), *range(40, 60)],
            targets=packages.truth[[*range(20), *range(40, 60)]],
            labels=packages.labels,
            epochs=30,
        )
        runtime.fit(request)
        told = runtime.run(sections_of(packages, "mine/sections"), packages.texts)
    assert (told == packages.truth).mean() > 0.95


def test_the_extract_is_what_it_says() -> None:
    packages = extract()
    assert (len(packages.names), packages.links.shape) == (2000, (2, 21804))
    assert packages.sections[list(packages.names).index("libc6")] == "libs"
