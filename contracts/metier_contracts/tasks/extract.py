"""extract: which spans of the text name an entity?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field, model_validator

from metier_contracts.card import Capabilities
from metier_contracts.contract import Contract
from metier_contracts.invariants import Violation
from metier_contracts.refusal import Refusal, shown
from metier_contracts.request import Request, Response
from metier_contracts.size import Size, characters
from metier_contracts.text import Text


class Entity(Contract):
    """A span of the text: `text == request.text[start:end]`, positions in characters."""

    text: str
    label: str
    start: int = Field(ge=0)
    end: int = Field(ge=1)
    score: float | None = Field(default=None, ge=0, le=1)

    def stands_in(self, text: str) -> bool:
        """Tell whether `text` holds this entity at its span."""
        # A slice that ends past the text is cut off silently, hence the length.
        length = self.end - self.start
        return 0 < length == len(self.text) and text[self.start : self.end] == self.text


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
            raise Refusal(
                "at least one entity type, none empty, each once (or None for all)",
                shown(list(types)),
                field="entity_types",
            )
        return self

    def needs(self) -> Mapping[str, Any]:
        """Return the capabilities this request needs."""
        return {"labels": "listed" if self.entity_types is None else frozenset(self.entity_types)}

    def workload(self) -> Size:
        """Return the characters of the text, with the types wanted."""
        return Size(len(self.text), choice_characters=characters(self.entity_types))


def spans_match(request: Extract, response: Extraction, capabilities: Capabilities) -> Violation | None:
    """Each entity's text is the text at its span."""
    for entity in response.entities:
        if not entity.stands_in(request.text):
            found = request.text[entity.start : entity.end]
            return Violation(
                "entities",
                f"{shown(entity.text)} at {entity.start}:{entity.end} of the text",
                f"{shown(found)} in a text of {len(request.text)} characters",
            )
    return None


def types_are_wanted(request: Extract, response: Extraction, capabilities: Capabilities) -> Violation | None:
    """Each entity has a type that was asked for."""
    if request.entity_types is None:
        return None
    wanted = set(request.entity_types)
    stray = next((entity for entity in response.entities if entity.label not in wanted), None)
    return None if stray is None else Violation("entities", f"types among {shown(sorted(wanted))}", repr(stray.label))


def spans_ascend(request: Extract, response: Extraction, capabilities: Capabilities) -> Violation | None:
    """Entities come in order of their start."""
    starts = [entity.start for entity in response.entities]
    return None if starts == sorted(starts) else Violation("entities", "ascending start", shown(starts))


INVARIANTS = (spans_match, types_are_wanted, spans_ascend)
