"""Pipelines as flowcharts and as trees: what is in them, and what is escaped."""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from metier import Step, each, fallback, parallel, route, step
from metier.pipeline.mermaid import flowchart
from metier.pipeline.structure import leaves
from rich.console import Console

from tests.core.pipeline.named import (
    PIPELINES,
    Report,
    anything,
    double,
    joined,
    label,
    length,
    measure,
    measure_small,
    words,
    written,
)

SHAPES = {'(["': "end", '["': "step", '[["': "task", '{"': "decision", "@{ shape: fork, label: ": "fork"}
NODE = re.compile(
    r'    (?: {4})*(n\d+)(\(\["|\[\["|\["|\{"|@\{ shape: fork, label: )([^"]*|"")("\]\)|"\]\]|"\]|"\}| \})'
)
EDGE = re.compile(r'    (n\d+) (-->|-\.->)(?:\|"([^"]*)"\|)? (n\d+)')
FRAME = re.compile(r'    (?: {4})*subgraph (n\d+)\["([^"]*)"\]')


@dataclass
class Chart:
    """A flowchart that was read again: a line that is no node, edge or frame is refused."""

    shapes: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    lines: list[tuple[str, str, str, str]] = field(default_factory=list)
    frames: dict[str, list[str]] = field(default_factory=dict)

    def edges(self) -> set[tuple[str, str, str]]:
        """From, label and to, by the nodes' texts; a dotted line has its label in brackets."""
        return {
            (self.texts[start], f"({text})" if arrow == "-.->" else text, self.texts[end])
            for start, arrow, text, end in self.lines
        }


def chart(pipeline: Step[Any, Any]) -> Chart:
    first, *lines, last = pipeline.to_mermaid().split("\n")
    assert (first, last) == ("flowchart TD", "")
    read, open_frames = Chart(), list[str]()
    for line in lines:
        if node := NODE.fullmatch(line):
            name, shape, text = node[1], SHAPES[node[2]], node[3]
            assert name not in read.shapes
            read.shapes[name] = shape
            read.texts[name] = "=" if shape == "fork" else text
            for frame in open_frames:
                read.frames[frame].append(text)
        elif edge := EDGE.fullmatch(line):
            read.lines.append((edge[1], edge[2], edge[3] or "", edge[4]))
        elif frame := FRAME.fullmatch(line):
            open_frames.append(frame[2])
            read.frames[frame[2]] = []
        else:
            assert line.strip() == "end"
            open_frames.pop()
    assert open_frames == []
    return read


def test_a_chain_is_a_line_from_what_it_takes_to_what_it_gives() -> None:
    assert chart(words >> anything >> double).edges() == {
        ("str", "", "acme/words@1"),
        ("acme/words@1", "", "acme/anything@1"),
        ("acme/anything@1", "", "acme/double@1"),
        ("acme/double@1", "", "int"),
    }


def test_a_route_is_a_diamond_with_its_keys_on_the_lines() -> None:
    drawn = chart(route(measure_small >> label).to({"short": length}, default=length >> double))
    assert drawn.edges() == {
        ("str", "", "acme/measure-small@1.0, acme/small"),
        ("acme/measure-small@1.0, acme/small", "", "acme/label@1"),
        ("acme/label@1", "short", "acme/length@2"),
        ("acme/label@1", "default", "acme/length@2"),
        ("acme/length@2", "", "acme/double@1"),
        ("acme/length@2", "", "int"),
        ("acme/double@1", "", "int"),
    }
    shapes = {drawn.texts[name]: shape for name, shape in drawn.shapes.items()}
    assert shapes["acme/measure-small@1.0, acme/small"] == "task"
    assert shapes["acme/label@1"] == "decision"
    assert shapes["acme/length@2"] == "step"
    assert shapes["str"] == "end"


def test_a_key_that_is_no_single_step_comes_before_its_diamond() -> None:
    drawn = chart(route(fallback(length, words)).to({1: written}, default=written))
    assert ("acme/length@2", "", "key") in drawn.edges()
    assert ("key", "1", "acme/written@1") in drawn.edges()


def test_a_route_by_type_has_the_types_on_its_lines() -> None:
    assert {edge for edge in chart(route(words, double)).edges() if edge[0] == "type"} == {
        ("type", "str", "acme/words@1"),
        ("type", "int", "acme/double@1"),
    }


def test_parallel_forks_and_joins() -> None:
    assert chart(parallel(length, words >> each(length))).edges() == {
        ("str", "", "="),
        ("=", "", "acme/length@2"),
        ("=", "", "acme/words@1"),
        ("acme/words@1", "", "acme/length@2"),
        ("acme/length@2", "", "="),
        ("=", "", "tuple[int, list[int]]"),
    }


@pytest.mark.parametrize(("into", "name"), [(Report, "Report"), (joined, "joined")])
def test_parallel_into_a_record_joins_in_it(into: Any, name: str) -> None:
    edges = chart(parallel(into=into, size=length, text=written)).edges()
    assert ("=", "size", "acme/length@2") in edges
    assert ("acme/written@1", "", name) in edges


def test_a_fallback_is_a_dotted_line() -> None:
    assert chart(fallback(length >> written, words >> written, anything)).edges() == {
        ("str", "", "acme/length@2"),
        ("acme/length@2", "", "acme/written@1"),
        ("acme/written@1", "(fails)", "acme/words@1"),
        ("acme/words@1", "", "acme/written@1"),
        ("acme/written@1", "(fails)", "acme/anything@1"),
        ("acme/written@1", "", "str | Any"),
        ("acme/anything@1", "", "str | Any"),
    }


def test_what_is_done_to_each_stands_in_a_frame() -> None:
    assert chart(words >> each(measure >> label)).frames == {"each": ["acme/measure@1", "acme/label@1"]}


@given(pipeline=PIPELINES)
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_every_chart_is_whole(pipeline: Step[str, str]) -> None:
    drawn = chart(pipeline)
    starts, ends = {line[0] for line in drawn.lines}, {line[3] for line in drawn.lines}
    first, *_, last = drawn.shapes
    assert starts == drawn.shapes.keys() - {last}
    assert ends == drawn.shapes.keys() - {first}
    assert Counter(leaf.name for leaf in leaves(pipeline)) <= Counter(
        text.partition(",")[0] for text in drawn.texts.values()
    )


MARKS = ['"', "|", "`a`", "<b>", "a\nb", "#quot;", "%% a", "*a*", "_a_", "1. a", "- a", "\\", "&lt;"]


@pytest.mark.parametrize("mark", MARKS)
def test_what_mermaid_would_read_is_escaped(mark: str) -> None:
    named = step(str, takes=str, gives=str, name=mark)
    drawn = chart(route(named).to({mark: named}, default=named))
    unescaped = {re.sub(r"#(\d+);", lambda code: chr(int(code[1])), text) for text in drawn.texts.values()}
    assert unescaped == {"str", mark.replace("\n", " ")}
    assert not re.search(r'["`<>*%\\&\n]|#(?!\d+;)|^[-\d]|\b_|_\b', "".join({*drawn.texts.values()} - {"str"}))


def test_names_stay_readable() -> None:
    assert 'n2["acme.org/hand_over-2@1.0"]' in flowchart(
        step(str, takes=str, gives=str, name="acme.org/hand_over-2@1.0")
    )


def drawn_tree(pipeline: Step[Any, Any]) -> str:
    console = Console(file=io.StringIO(), width=120, color_system=None)
    console.print(pipeline)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_a_pipeline_prints_as_a_tree() -> None:
    arms = {"short": parallel(into=Report, size=length, text=fallback(anything, written >> written)), "": length}
    pipeline = words >> each(route(measure_small >> label >> anything).to(arms, default=length >> double))
    assert drawn_tree(pipeline).splitlines() == [
        "str -> list[Report | int]",
        "├── acme/words@1  str -> list[str]",
        "└── each",
        "    └── route",
        "        ├── key:",
        "        │   ├── acme/measure-small@1.0, model acme/small  str -> Classification[Literal['short', 'long']]",
        "        │   ├── acme/label@1  Classification[Literal['short', 'long']] -> Literal['short', 'long']",
        "        │   └── acme/anything@1  object -> Any",
        "        ├── short: parallel, into Report",
        "        │   ├── size: acme/length@2  str -> int",
        "        │   └── text: fallback",
        "        │       ├── acme/anything@1  object -> Any",
        "        │       └── chain",
        "        │           ├── acme/written@1  object -> str",
        "        │           └── acme/written@1  object -> str",
        "        ├── '': acme/length@2  str -> int",
        "        └── default:",
        "            ├── acme/length@2  str -> int",
        "            └── acme/double@1  int -> int",
    ]


def test_names_are_no_markup_in_the_tree() -> None:
    assert "[red]a[/red]  str -> str" in drawn_tree(step(str, takes=str, gives=str, name="[red]a[/red]"))
