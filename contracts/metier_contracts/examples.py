"""`ExampleSet`: labelled texts, validated and hashed once however many requests carry them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Generic, Self

from pydantic import Field, ValidatorFunctionWrapHandler, WrapValidator, model_validator
from typing_extensions import TypeVar

from metier_contracts.contract import Contract
from metier_contracts.refusal import Refusal, shown

_TURNS = '{"role":"user","content":""},{"role":"assistant","content":""},'

LabelT_co = TypeVar("LabelT_co", bound=str, default=str, covariant=True)


class Example(Contract, Generic[LabelT_co]):
    """One text and its label."""

    text: str = Field(min_length=1)
    label: LabelT_co


class ExampleSet(Contract, Generic[LabelT_co]):
    """Labelled texts, in order. Build it once and pass the same object with every request."""

    examples: tuple[Example[LabelT_co], ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _take_pairs(cls, data: Any) -> Any:
        """Take a plain sequence, so that a request may be given `examples=[("text", "label"), ...]`."""
        fields = {"examples": data} if isinstance(data, list | tuple) else data
        items = fields.get("examples") if isinstance(fields, dict) else None
        if not isinstance(items, list | tuple):
            return fields
        return {**fields, "examples": [_as_example(position, item) for position, item in enumerate(items)]}

    @classmethod
    def from_pairs(cls, pairs: Iterable[tuple[str, LabelT_co]]) -> Self:
        """Return the set of (text, label) pairs."""
        return cls.from_mapping(list(pairs))

    @cached_property
    def labels(self) -> tuple[LabelT_co, ...]:
        """The distinct labels, in order of first appearance."""
        return tuple(dict.fromkeys(example.label for example in self.examples))

    @cached_property
    def texts(self) -> Sequence[str]:
        """The texts, in order."""
        return tuple(example.text for example in self.examples)

    @cached_property
    def digest(self) -> str:
        """The sha256 of texts and labels, in hexadecimal."""
        pairs = [[example.text, example.label] for example in self.examples]
        return hashlib.sha256(json.dumps(pairs).encode()).hexdigest()

    @cached_property
    def characters(self) -> int:
        """How many characters the examples are as turns of a talk in JSON."""
        return sum(len(_TURNS) + len(example.text) + len(example.label) for example in self.examples)

    def __len__(self) -> int:
        return len(self.examples)


def _take_as_is(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """Let a set that is already built through: `Classify[Literal[...]]` would copy and check it at every request."""
    return value if isinstance(value, ExampleSet) else validate(value)


take_as_is = WrapValidator(_take_as_is)


def _as_example(position: int, item: Any) -> Any:
    if isinstance(item, Example | dict):
        return item
    if isinstance(item, list | tuple) and len(item) == 2:
        return {"text": item[0], "label": item[1]}
    raise Refusal("an Example or a pair (text, label)", f"{shown(item)} at index {position}")
