"""What requirements take and refuse."""

from __future__ import annotations

import math
from typing import Any

import pytest
from metier import Requirements
from metier.decision.requirements import _CAPABILITIES
from metier_contracts import Capabilities, GraphSchema, InputError


def test_memory_is_read_as_settings_read_it() -> None:
    assert Requirements(memory="4GB").memory == 4_000_000_000
    assert Requirements(memory=5).memory == 5


def test_one_licence_stands_for_itself() -> None:
    assert Requirements(licence="MIT").licence == ("MIT",)


@pytest.mark.parametrize(
    "fields",
    [
        {"latency_ms": -1},
        {"latency_ms": math.nan},
        {"cost_per_1k": math.inf},
        {"memory": "4 parsecs"},
        {"memory": -1},
        {"device": "tpu"},
        {"latency": 5},
        {"needs": {"wings": True}},
        {"needs": {"default": True}},
        {"needs": {"tools": "yes"}},
        {"needs": {"tools": False}},
        {"needs": {"labels": True}},
        {"needs": {"labels": 5}},
        {"needs": {"dimensions": "384"}},
        {"needs": {"dimensions": True}},
        {"needs": {"graphs": 3}},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(fields: Any) -> None:
    with pytest.raises(InputError):
        Requirements(**fields)


def test_needs_take_the_form_that_cards_are_asked_in() -> None:
    needs = {"labels": "open", "tools": True, "dimensions": 384, "levels": "node", "languages": ("en", "de")}
    table = Capabilities(labels="open", tools=True, dimensions=384, levels=("node", "edge"), languages=("de", "en"))
    asked = Requirements(needs=needs).capability_needs()
    assert table.unmet(asked) == []
    assert len(Capabilities().unmet(asked)) == 5
    assert Capabilities(graphs=GraphSchema(3)).unmet(Requirements(needs={"graphs": GraphSchema(4)}).capability_needs())
    assert Requirements(needs={"labels": "a"}).capability_needs() == {"labels": frozenset({"a"})}


def test_every_capability_can_be_needed_but_those_of_the_choice() -> None:
    assert Capabilities.model_fields.keys() - _CAPABILITIES.keys() == {
        "default",
        "max_batch",
        "context",
        "output_tokens",
        "overhead",
        "zero_shot",
    }


def test_equal_requirements_have_equal_hashes() -> None:
    one, other = (Requirements(latency_ms=5, needs={"labels": ("a",)}) for _ in range(2))
    assert (one, hash(one)) == (other, hash(other))
    assert one != Requirements(latency_ms=6)
