"""`metier inspect`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

MODULE = """
from dataclasses import dataclass
from metier import each, step

@step(name="acme/words@1")
def words(text: str) -> list[str]:
    return text.split()

length = step(len, takes=str, gives=int, name="acme/length@1")
ALL = [words, length]
desk = words >> each(length)
number = 3

@dataclass
class Size:
    size: int
"""
FILE = "metier-pipeline: 1\nsteps:\n- acme/words@1\n- each:\n    step: acme/length@1\n"
RECORD = "metier-pipeline: 1\nsteps:\n- parallel:\n    into: acme/size@1\n    arms: {size: acme/length@1}\n"


@pytest.fixture(autouse=True)
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module and two files in the current folder."""
    for name, text in (("inspected_desk.py", MODULE), ("desk.yaml", FILE), ("record.yml", RECORD)):
        Path(name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    yield Path.cwd()
    sys.modules.pop("inspected_desk", None)


@pytest.mark.parametrize(
    "steps",
    [
        ["inspected_desk"],
        ["inspected_desk:ALL"],
        ["inspected_desk:desk"],
        ["inspected_desk:words", "inspected_desk:length"],
    ],
)
def test_a_file_is_drawn_as_a_tree(metier: Any, steps: list[str]) -> None:
    ran = metier("inspect", "desk.yaml", *(word for one in steps for word in ("--steps", one)))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "str -> list[int]",
        "├── acme/words@1  str -> list[str]",
        "└── each",
        "    └── acme/length@1  str -> int",
    ]


def test_mermaid_prints_the_flowchart(metier: Any) -> None:
    ran = metier("inspect", "desk.yaml", "--steps", "inspected_desk", "--mermaid")
    assert ran.out == sys.modules["inspected_desk"].desk.to_mermaid()


def test_json_holds_what_the_file_says(metier: Any) -> None:
    ran = metier("inspect", "desk.yaml", "--steps", "inspected_desk", "--json")
    assert ran.json == {
        "signature": "str -> list[int]",
        "metier-pipeline": 1,
        "steps": ["acme/words@1", {"each": {"step": "acme/length@1"}}],
    }


def test_a_record_is_named_before_its_place(metier: Any) -> None:
    words = ("--steps", "inspected_desk", "--steps", "acme/size@1=inspected_desk:Size")
    assert "parallel, into Size" in metier("inspect", "record.yml", *words).out
    (drawn,) = metier("inspect", "record.yml", *words, "--json").json["steps"]
    assert drawn["parallel"]["into"] == "acme/size@1"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["desk.yaml"], "no step has the name 'acme/words@1'"),
        (["other.yaml"], "other.yaml cannot be read"),
        (["desk.yaml", "--steps", "no_such_module"], "No module named 'no_such_module'"),
        (["desk.yaml", "--steps", "inspected_desk:none"], "has no attribute 'none'"),
        (["desk.yaml", "--steps", "inspected_desk:number"], "int without steps"),
        (["desk.yaml", "--steps", ""], "--steps  gives no steps"),
        (["record.yml", "--steps", "inspected_desk", "--steps", "size=inspected_desk:Size"], "owner/name@version"),
        (["no/such-model"], "no model has the id 'no/such-model'"),
        (["acme/words", "--mermaid"], "no file of a pipeline"),
    ],
)
def test_bad_usage(metier: Any, plugins: Any, words: list[str], message: str) -> None:
    ran = metier("inspect", *words)
    assert ran.code == 2
    assert message in ran.err


def test_steps_that_do_not_fit_are_a_failure(metier: Any) -> None:
    Path("desk.yaml").write_text("metier-pipeline: 1\nsteps: [acme/words@1, acme/length@1]", encoding="utf-8")
    ran = metier("inspect", "desk.yaml", "--steps", "inspected_desk")
    assert ran.code == 1
    assert "step 'acme/words@1' does not fit step 'acme/length@1'" in ran.err
    assert "desk.yaml, line 2, steps[1]" in ran.err


def test_a_model_shows_its_card(metier: Any, plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/keywords", bytes=1_500_000), plugins.card("acme/other"))
    ran = metier("inspect", "acme/keywords")
    assert ran.code == 0
    rows = {tuple(line.split()) for line in ran.out.splitlines()}
    assert {("id", "acme/keywords"), ("licence", "MIT"), ("state", "ready"), ("bytes", "1500000")} <= rows
    assert metier("inspect", "acme/keywords", "--json").json == metier("models", "--json").json[0]
    assert plugins.imported() == []
