"""extract: which spans of the text name an entity?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field, model_validator

from metier_contracts.card import Capabilities
from metier_contracts.contract import Contract
from metier_contracts.invariants import Violation
from metier_contracts.request import Request, Response
from metier_contracts.text import Text


class Entity(Contract):
    """A span of the text: `text == request.text[start:end]`, positions in characters."""

    text: str
    label: str
    start: int = Field(ge=0)
    end: int = Field(ge=1)
    score: float | None = Field(default=None, ge=0, le=1)


class Extraction(Response):
    """`entities`: in order of `start`."""

    entities: tuple[Entity, ...]

    def of(self, label: str) -> tuple[Entity, ...]:
        """Return the entities of one type."""
        return tuple(entity for entity in self.entities if entity.label == label)


class Extract(Request[Extraction]):
    """Find the entities in a text. `entity_types`: the types wanted, or None for all that the model knows."""

    task: ClassVar[str] = "extract"

    text: Text
    entity_types: Sequence[str] | None = None

    @model_validator(mode="after")
    def _check(self) -> Extract:
        types = self.entity_types
        if types is not None and (not types or "" in types or len(set(types)) != len(types)):
            raise ValueError(f"at least one entity type, none empty, each once (or None for all), got {list(types)}")
        return self

    def needs(self) -> Mapping[str, Any]:
        """Return the capabilities this request needs."""
        return {"labels": "listed" if self.entity_types is None else frozenset(self.entity_types)}


def spans_match(request: Extract, response: Extraction, capabilities: Capabilities) -> Violation | None:
    """Each entity's text is the text at its span."""
    for entity in response.entities:
        found = request.text[entity.start : entity.end]
        if entity.start >= entity.end or found != entity.text:
            return Violation("entities", f"{entity.text!r} at {entity.start}:{entity.end} of the text", repr(found))
    return None


def types_are_wanted(request: Extract, response: Extraction, capabilities: Capabilities) -> Violation | None:
    """Each entity has a type that was asked for."""
    if request.entity_types is None:
        return None
    wanted = set(request.entity_types)
    stray = next((entity for entity in response.entities if entity.label not in wanted), None)
    return None if stray is None else Violation("entities", f"types among {sorted(wanted)}", repr(stray.label))


def spans_ascend(request: Extract, response: Extraction, capabilities: Capabilities) -> Violation | None:
    """Entities come in order of their start."""
    starts = [entity.start for entity in response.entities]
    return None if starts == sorted(starts) else Violation("entities", "ascending start", str(starts)[:200])


INVARIANTS = (spans_match, types_are_wanted, spans_ascend)
