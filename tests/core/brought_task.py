"""A plugin that brings a task of its own: to spell a text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

TASK = '''
from collections.abc import Sequence
from typing import ClassVar, Literal

from metier_contracts import Contract, Image, Probes, Request, Response, Size, Task, Violation
from pydantic import Field


class Letter(Contract):
    letter: str
    place: int


class Spelling(Response):
    letters: tuple[Letter, ...]
    note: str = ""


class Spell(Request[Spelling]):
    """Take a text apart.

    Longer help follows.
    """

    task: ClassVar[str] = "spell"
    text: str = Field(min_length=1, description="What to take apart.")
    upper: bool = False
    most: int | None = Field(default=None, ge=1)
    skip: Sequence[str] = ()
    order: Literal["forward", "backward"] = "forward"
    weights: dict[str, float] = {}
    picture: Image | None = None

    def workload(self):
        return Size(len(self.text))


def joined(request, response, capabilities):
    got = "".join(one.letter for one in response.letters)
    wanted = request.text.upper() if request.upper else request.text
    return None if got == wanted else Violation("letters", repr(wanted), repr(got))


def probe(size, number, capabilities):
    return Spell(text="abcdefghij"[number % 10] * size.amount)


SPELL = Task(Spell, Spelling, (joined,), probes=(Probes((Size(10), Size(30), Size(90)), probe),))
'''

PLUGIN = """
from metier_contracts import hookimpl
from metier_speller.task import Letter, Spelling


class Speller:
    def __init__(self, wrong):
        self.wrong = wrong
        self.asked = 0

    def infer(self, requests, context):
        self.asked += len(requests)
        return [self.spell(request) for request in requests]

    def spell(self, request):
        text = request.text.upper() if request.upper and not self.wrong else request.text
        letters = tuple(Letter(letter=letter, place=place) for place, letter in enumerate(text))
        return Spelling(letters=letters, note=f"call {self.asked}")

    def resident_bytes(self):
        return 0

    def close(self):
        pass


@hookimpl
def metier_load(card, placement):
    return Speller(card.options.get("wrong", False))
"""

SCHEMA = {"type": "object", "required": ["text"]}


def contribution(**fields: Any) -> dict[str, Any]:
    """What the manifest says of the task."""
    return {"name": "spell", "help": "Take a text apart.", "object": "metier_speller.task:SPELL", **fields}


def spelling_card(model: str = "speller/plain", **fields: Any) -> dict[str, Any]:
    """A card of a model that spells, as a manifest holds it."""
    basis = {"id": model, "architecture": "rule", "licence": "MIT", "parameters": 10, "tasks": {"spell": {}}}
    return {**basis, **fields}


def write_speller(plugins: Any, *cards: Any, task: str = TASK, code: str = PLUGIN, **fields: Any) -> Path:
    """Write the plugin and return its package's folder."""
    brought = fields.pop("tasks", [contribution(json_schema=SCHEMA)])
    folder: Path = plugins.write("speller", *(cards or (spelling_card(),)), code=code, tasks=brought, **fields)
    (folder / "task.py").write_text(task, encoding="utf-8")
    return folder
