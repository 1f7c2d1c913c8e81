"""A pipeline as a tree, for the terminal."""

from __future__ import annotations

from typing import Any

from rich.text import Text
from rich.tree import Tree

from metier.pipeline.combine import one_hint
from metier.pipeline.hints import show
from metier.pipeline.routing import taken
from metier.pipeline.step import Chain, Step, parts


def tree(pipeline: Step[Any, Any]) -> Tree:
    """Return the tree of a pipeline: a line for each step, with what it takes and gives."""
    root = Tree(Text(signature(pipeline)))
    for step in parts(pipeline):
        _add(root, step, "")
    return root


def signature(step: Step[Any, Any]) -> str:
    """Return what a step takes and gives, as one would write it."""
    return f"{show(taken(step))} -> {show(one_hint(step))}"


def _add(above: Tree, step: Step[Any, Any], label: str) -> None:
    structure = step.structure()
    inner = list(structure.parts())
    line = Text(f"{label}:" if label else "", style="dim")
    if not inner:
        settings = "".join(f", {name} {value}" for name, value in structure.settings())
        line.append(f" {step.name}", style="not dim bold")
        line.append(f"{settings}  {signature(step)}")
    elif not (label and isinstance(step, Chain)):  # under a label, that one follows the other needs no word
        line.append(f" {structure.title}", style="not dim")
    branch = above.add(line if label else line[1:])
    for part in inner:
        _add(branch, part.step, part.label)
