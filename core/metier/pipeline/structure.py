"""What steps are made of, as they state it themselves: files and pictures are drawn from this alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from metier.pipeline.step import Step


class Role(Enum):
    """What a field of a step holds: steps, and how a value comes to them, or no step at all."""

    THEN = auto()
    """Each takes what the one before it gives."""
    ALL = auto()
    """All take the value, at the same time."""
    KEY = auto()
    """It decides where the value goes."""
    CASE = auto()
    """One of them takes the value, as the key says, or where there is none the value's type."""
    DEFAULT = auto()
    """It takes the value where no case does."""
    UNLESS = auto()
    """It takes the value where the key says no; where it says yes, what was there before the key goes on."""
    ELSE = auto()
    """Each takes the value where the one before it failed."""
    WITHIN = auto()
    """It is done in the way that the kind of the whole says."""
    SETTING = auto()
    """A string, a number, True or False; None where it is not set."""
    RECORD = auto()
    """What makes a record by keywords, or None."""


@dataclass(frozen=True)
class Kind:
    """A way of making a step: its name and fields, as files write them, and the function that takes these fields."""

    name: str
    roles: Mapping[str, Role] = field(default_factory=dict)
    build: Callable[..., Step[Any, Any]] | None = None


@dataclass(frozen=True)
class Part:
    """A step within another: its role, and what it is called there, "" where it is one of a list."""

    step: Step[Any, Any]
    role: Role
    label: str


@dataclass(frozen=True)
class Structure:
    """What a step is made of: its kind, and of each field a step, a tuple of steps, steps by key, or a value.

    `times`: how often what is within is done for a value, at least and at most; None where only a run tells.
    """

    kind: Kind
    fields: Mapping[str, Any] = field(default_factory=dict)
    times: tuple[int, int] | None = (1, 1)

    @property
    def title(self) -> str:
        """The kind and what is set, in a line."""
        return ", ".join([self.kind.name, *(_setting(*item) for item in self.settings())])

    def settings(self) -> Iterator[tuple[str, Any]]:
        """Yield name and value of what is set and is no step."""
        for name, value in self.fields.items():
            if self.kind.roles[name] in (Role.SETTING, Role.RECORD) and value is not None:
                yield name, value

    def parts(self) -> Iterator[Part]:
        """Yield the steps, in order."""
        for name, value in self.fields.items():
            role = self.kind.roles[name]
            if value is None or role in (Role.SETTING, Role.RECORD):
                continue
            if isinstance(value, Mapping):
                yield from (Part(step, role, _shown(key)) for key, step in value.items())
            elif isinstance(value, tuple):
                yield from (Part(step, role, "") for step in value)
            else:
                yield Part(value, role, "" if role is Role.WITHIN else name)


def _setting(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return name if value else f"no {name}"
    return f"{name} {getattr(value, '__name__', value)}"


def _shown(key: Any) -> str:
    return key if isinstance(key, str) and key.strip() else repr(key)


def leaves(step: Step[Any, Any]) -> Iterator[Step[Any, Any]]:
    """Yield the steps within a step that have none within them, in order; one that stands twice comes twice."""
    parts = list(step.structure().parts())
    if not parts:
        yield step
    for part in parts:
        yield from leaves(part.step)
