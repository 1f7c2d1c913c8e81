"""A pipeline as a flowchart in the language of Mermaid (https://mermaid.js.org/syntax/flowchart.html)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from metier.pipeline.combine import one_hint
from metier.pipeline.hints import show
from metier.pipeline.routing import taken
from metier.pipeline.step import Step, parts
from metier.pipeline.structure import Part, Role

_STADIUM, _BOX, _CALL, _DIAMOND = '(["{}"])', '["{}"]', '[["{}"]]', '{{"{}"}}'
_BAR = '@{{ shape: fork, label: "{}" }}'
# What would end a label, or be read as HTML, a comment or Markdown in it; the last is what a list begins with.
_MARKUP = re.compile(r'["#%&*<>\\`~]|(?<![^\W_])_|_(?![^\W_])|^[-+\d](?=\d*[.)]? )')


def flowchart(pipeline: Step[Any, Any]) -> str:
    """Return the flowchart of a pipeline: tasks in double frames, routes as diamonds, failures as dotted lines."""
    drawing = _Drawing()
    start = drawing.node(_STADIUM, show(taken(pipeline)))
    ends = drawing.draw(pipeline, [_Line(start)])
    drawing.node(_STADIUM, show(one_hint(pipeline)), ends)
    return "\n".join(["flowchart TD", *drawing.nodes, *drawing.edges, ""])


@dataclass(frozen=True)
class _Line:
    """What comes from a node and has not arrived yet."""

    source: str
    label: str = ""
    dotted: bool = False


@dataclass
class _Drawing:
    """Nodes and edges so far. A node belongs to the frame in which it is first named, so all edges follow the nodes."""

    nodes: list[str] = field(default_factory=list)
    edges: list[str] = field(default_factory=list)
    count: int = 0
    depth: int = 1

    def node(self, shape: str, text: str, coming: Sequence[_Line] = ()) -> str:
        """Draw a node and the lines that come to it; return its id."""
        self.count += 1
        name = f"n{self.count}"
        self._write(name + shape.format(_escaped(text)))
        for line in dict.fromkeys(coming):
            arrow = "-.->" if line.dotted else "-->"
            label = f'|"{_escaped(line.label)}"|' if line.label else ""
            self.edges.append(f"    {line.source} {arrow}{label} {name}")
        return name

    def _write(self, line: str) -> None:
        self.nodes.append("    " * self.depth + line)

    def draw(self, step: Step[Any, Any], coming: Sequence[_Line]) -> list[_Line]:
        """Draw a step with the lines that come to it; return those that leave it."""
        structure = step.structure()
        inner = list(structure.parts())
        if not inner:
            text = ", ".join([step.name, *(str(value) for _, value in structure.settings())])
            return [_Line(self.node(_CALL if structure.kind.name == "task" else _BOX, text, coming))]
        roles = {part.role for part in inner}
        if Role.WITHIN in roles:
            return self._frame(structure.title, inner, coming)
        if Role.ALL in roles:
            record = structure.fields.get("into")
            return self._fork(inner, "" if record is None else getattr(record, "__name__", "record"), coming)
        if Role.ELSE in roles:
            return self._alternatives(inner, coming)
        return self._in_order(inner, coming)

    def _frame(self, title: str, inner: Sequence[Part], coming: Sequence[_Line]) -> list[_Line]:
        self.count += 1
        self._write(f'subgraph n{self.count}["{_escaped(title)}"]')
        self.depth += 1
        lines = self._in_order(inner, coming)
        self.depth -= 1
        self._write("end")
        return lines

    def _fork(self, inner: Sequence[Part], record: str, coming: Sequence[_Line]) -> list[_Line]:
        fork = self.node(_BAR, "", coming)
        leaving = [line for part in inner for line in self.draw(part.step, [_Line(fork, part.label)])]
        return [_Line(self.node(_BOX, record, leaving) if record else self.node(_BAR, "", leaving))]

    def _alternatives(self, inner: Sequence[Part], coming: Sequence[_Line]) -> list[_Line]:
        leaving: list[_Line] = []
        for part in inner:
            lines = self.draw(part.step, coming)
            coming = [_Line(line.source, "fails", dotted=True) for line in lines]
            leaving += lines
        return leaving

    def _in_order(self, inner: Sequence[Part], coming: Sequence[_Line]) -> list[_Line]:
        """Draw parts that follow one another, up to a key; what follows a key are cases."""
        decision, leaving = "", []
        for part in inner:
            if part.role is Role.KEY:
                decision = self._diamond(part.step, coming)
            elif part.role in (Role.THEN, Role.WITHIN):
                coming = self.draw(part.step, coming)
            else:
                decision = decision or self.node(_DIAMOND, "type", coming)
                leaving += self._case(part, decision)
        return leaving if decision else list(coming)

    def _case(self, part: Part, decision: str) -> list[_Line]:
        if part.role is Role.UNLESS:
            return [_Line(decision, "yes"), *self.draw(part.step, [_Line(decision, "no")])]
        return self.draw(part.step, [_Line(decision, part.label or show(taken(part.step)))])

    def _diamond(self, step: Step[Any, Any], coming: Sequence[_Line]) -> str:
        """Draw the step that decides, its last one as a diamond."""
        *before, last = parts(step)
        for one in before:
            coming = self.draw(one, coming)
        if any(True for _ in last.structure().parts()):
            return self.node(_DIAMOND, "key", self.draw(last, coming))
        return self.node(_DIAMOND, last.name, coming)


def _escaped(text: str) -> str:
    """Return a text as Mermaid writes it within quotes."""
    return _MARKUP.sub(lambda mark: f"#{ord(mark[0])};", " ".join(text.splitlines()))
