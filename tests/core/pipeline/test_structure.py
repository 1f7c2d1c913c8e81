"""A kind of step that is new states its structure, and is saved, loaded and drawn by that alone."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from metier import Step, fallback, load_pipeline, save_pipeline
from metier.pipeline.engine import Call, apply
from metier.pipeline.loading import KINDS
from metier.pipeline.step import In_contra, Out_co, Port, Taint
from metier.pipeline.structure import Kind, Role, Structure
from metier_contracts import InputError
from rich.console import Console

from tests.core.pipeline.named import STEPS, double, length, measure, written


@dataclass(frozen=True)
class Wrapped(Step[In_contra, Out_co]):
    """What stands for a step in a frame, with settings."""

    inner: Step[Any, Any]
    attempts: int
    waits: tuple[float, ...] | None
    strict: bool

    @property
    def name(self) -> str:
        return f"wrapped({self.inner.name})"

    def entries(self) -> Sequence[Port]:
        return self.inner.entries()

    def exits(self) -> Sequence[Port]:
        return self.inner.exits()

    def apply(self, values: Sequence[Any], call: Call) -> list[Any]:
        return apply(self.inner, values, call)

    def structure(self) -> Structure:
        fields = {"step": self.inner, "attempts": self.attempts, "waits": self.waits, "strict": self.strict}
        return Structure(WRAPPED, fields)

    def guarded(self, taint: Taint | None, after: Taint | None) -> tuple[Step[Any, Any], Taint | None]:
        return self, taint


def wrapped(step: Step[Any, Any], attempts: int, waits: Any = None, strict: bool = False) -> Step[Any, Any]:
    return Wrapped(step, attempts, waits, strict)


WRAPPED = Kind(
    "wrapped",
    {"step": Role.WITHIN, "attempts": Role.SETTING, "waits": Role.SETTING, "strict": Role.SETTING},
    wrapped,
)


@dataclass(frozen=True)
class Doubtful(Step[In_contra, Out_co]):
    """What stands for two steps and one that says whether the first's result will do."""

    first: Step[Any, Any]
    accept: Step[Any, Any]
    second: Step[Any, Any]

    @property
    def name(self) -> str:
        return f"doubtful({self.first.name})"

    def entries(self) -> Sequence[Port]:
        return [*self.first.entries(), *self.second.entries()]

    def exits(self) -> Sequence[Port]:
        return [*self.first.exits(), *self.second.exits()]

    def apply(self, values: Sequence[Any], call: Call) -> list[Any]:
        return apply(self.first, values, call)

    def structure(self) -> Structure:
        return Structure(DOUBTFUL, {"first": self.first, "accept": self.accept, "second": self.second})

    def guarded(self, taint: Taint | None, after: Taint | None) -> tuple[Step[Any, Any], Taint | None]:
        return self, taint


DOUBTFUL = Kind("doubtful", {"first": Role.THEN, "accept": Role.KEY, "second": Role.UNLESS}, Doubtful)


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (WRAPPED, DOUBTFUL):
        monkeypatch.setitem(KINDS, kind.name, kind)  # type: ignore[arg-type]


PIPELINES: list[Step[Any, Any]] = [
    Wrapped(length >> double, 3, None, False),
    Wrapped(length, -1, (0.5, 1e20, 2), True),
    Doubtful(measure, written, fallback(measure, measure)),
    Wrapped(Doubtful(length, double, written >> length), 1, (), True),
]


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_it_comes_back_equal(pipeline: Step[Any, Any], tmp_path: Path) -> None:
    save_pipeline(pipeline, tmp_path / "new.yaml")
    assert load_pipeline(tmp_path / "new.yaml", steps=STEPS) == pipeline


def test_settings_are_in_the_file(tmp_path: Path) -> None:
    save_pipeline(PIPELINES[1], tmp_path / "new.yaml")
    assert (tmp_path / "new.yaml").read_text(encoding="utf-8").splitlines()[2:] == [
        "- wrapped:",
        "    step: acme/length@2",
        "    attempts: -1",
        "    waits:",
        "    - 0.5",
        "    - 1.0e+20",
        "    - 2",
        "    strict: true",
    ]


@pytest.mark.parametrize("setting", ["{a: 1}", "[[{}]]"])
def test_a_mapping_is_no_setting(setting: str, tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    text = f"metier-pipeline: 1\nsteps:\n- wrapped:\n    step: acme/length@2\n    attempts: {setting}\n"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="a setting is wanted") as refused:
        load_pipeline(path, steps=STEPS)
    assert "line 5, steps[0].wrapped.attempts" in str(refused.value)


def test_a_frame_bears_the_settings() -> None:
    assert 'subgraph n2["wrapped, attempts 3, no strict"]' in PIPELINES[0].to_mermaid()


def test_what_is_accepted_goes_on() -> None:
    assert PIPELINES[3].to_mermaid().splitlines() == [
        "flowchart TD",
        '    n1(["str"])',
        '    subgraph n2["wrapped, attempts 1, waits (), strict"]',
        '        n3["acme/length@2"]',
        '        n4{"acme/double@1"}',
        '        n5["acme/written@1"]',
        '        n6["acme/length@2"]',
        "    end",
        '    n7(["int"])',
        "    n1 --> n3",
        "    n3 --> n4",
        '    n4 -->|"no"| n5',
        "    n5 --> n6",
        '    n4 -->|"yes"| n7',
        "    n6 --> n7",
    ]


def test_the_tree_names_each_part() -> None:
    console = Console(file=io.StringIO(), width=120, color_system=None)
    console.print(PIPELINES[3])
    assert console.file.getvalue().splitlines() == [  # type: ignore[attr-defined]
        "str -> int",
        "└── wrapped, attempts 1, waits (), strict",
        "    └── doubtful",
        "        ├── first: acme/length@2  str -> int",
        "        ├── accept: acme/double@1  int -> int",
        "        └── second:",
        "            ├── acme/written@1  object -> str",
        "            └── acme/length@2  str -> int",
    ]
