"""JSON by a schema: valid and complete in time, whatever the sampler does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from metier_contracts import Generate, InputError, UnsupportedError
from metier_contracts.schemas import invalid
from metier_llm.constraints import Constraints

from benchmarks.evaluate.schemas import Case, corpus
from tests.plugins.llm.adversaries import Adversary, endless, random, write

CASES = corpus()
MOST = 192


@pytest.fixture(scope="session")
def constraints(tokenizer: Any) -> Constraints:
    """The constraints of SmolLM2."""
    return Constraints(tokenizer, len(tokenizer), frozenset({tokenizer.eos_token_id}))


def written(
    constraints: Constraints, tokenizer: Any, schema: Mapping[str, Any], adversary: Adversary, most: int, seed: int = 0
) -> str:
    text, spent = write(constraints.json_schema(schema, most), tokenizer, len(tokenizer), adversary, most, seed)
    assert spent <= most
    return text


def least(constraints: Constraints, schema: Mapping[str, Any]) -> int:
    """Return the fewest tokens for which the schema is taken."""
    with pytest.raises(InputError, match="max_tokens >= ") as refused:
        constraints.json_schema(schema, 0)
    return int(str(refused.value.expected).split()[-1])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_schema_is_met_in_time(constraints: Constraints, tokenizer: Any, case: Case) -> None:
    fewest = least(constraints, case.schema)
    for adversary, most in ((random, fewest), (random, fewest + 32), (endless, fewest + 16)):
        assert invalid("text", written(constraints, tokenizer, case.schema, adversary, most), case.schema) is None


@pytest.mark.parametrize("most", [24, 48, 96])
def test_a_tree_is_closed_however_deep_it_has_grown(constraints: Constraints, tokenizer: Any, most: int) -> None:
    schema = {"$defs": {"tree": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}, "$ref": "#/$defs/tree"}
    text = written(constraints, tokenizer, schema, endless, most)
    assert invalid("text", text, schema) is None
    assert text.count("[") > most // 8


def test_a_loop_in_a_string_leaves_room_for_what_is_required(constraints: Constraints, tokenizer: Any) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"const": 7}}, "required": ["a", "b"]}
    value = json.loads(written(constraints, tokenizer, schema, endless, 40))
    assert value["b"] == 7
    assert len(value["a"]) > 60


def test_draws_differ_by_seed(constraints: Constraints, tokenizer: Any) -> None:
    schema = {"type": "string", "maxLength": 40}
    assert len({written(constraints, tokenizer, schema, random, 60, seed) for seed in range(4)}) == 4


def test_a_matcher_leaves_the_next_one_alone(constraints: Constraints, tokenizer: Any) -> None:
    schema = {"type": "array", "items": {"type": "integer"}, "uniqueItems": True, "minItems": 2}
    first = written(constraints, tokenizer, schema, random, 60)
    assert written(constraints, tokenizer, schema, random, 60) == first


def test_what_is_masked_is_minus_infinity_and_the_rest_keeps_its_logit(
    constraints: Constraints, tokenizer: Any
) -> None:
    logits = torch.zeros(len(tokenizer))
    yes = tokenizer.convert_tokens_to_ids("true")
    logits[yes] = 3.5
    constraints.json_schema({"type": "boolean"}, 4).mask(logits)
    assert logits[yes] == 3.5
    assert logits[tokenizer.convert_tokens_to_ids("The")] == -torch.inf


@pytest.mark.parametrize(
    "schema",
    [
        {"not": {}},
        {"type": "integer", "minimum": 3, "maximum": 2},
        {"allOf": [{"type": "string"}, {"type": "array"}]},
        {"type": "object", "required": ["a"], "properties": {"a": False}},
        {"enum": ["a"], "type": "integer"},
        {"type": "array", "items": {"enum": [1, 2]}, "uniqueItems": True, "minItems": 3},
        {"type": "string", "pattern": "^a{3}$", "maxLength": 2},
        {"$defs": {"x": {"type": "array", "items": {"$ref": "#/$defs/x"}, "minItems": 1}}, "$ref": "#/$defs/x"},
    ],
    ids=str,
)
def test_no_json_can_satisfy(constraints: Constraints, schema: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="No JSON can be valid"):
        constraints.json_schema(schema, MOST)


@pytest.mark.parametrize(
    ("schema", "keyword"),
    [
        ({"type": "string", "pattern": r"\bword\b"}, "pattern"),
        ({"type": "string", "pattern": r"^(a|b)\1$"}, "pattern"),
        ({"not": {"uniqueItems": True}}, "not"),
    ],
    ids=str,
)
def test_what_cannot_be_held_to_is_named(constraints: Constraints, schema: dict[str, Any], keyword: str) -> None:
    with pytest.raises(UnsupportedError, match=f"`{keyword}`"):
        constraints.json_schema(schema, MOST)


def test_a_pattern_that_is_none_is_the_callers_mistake(constraints: Constraints) -> None:
    with pytest.raises(InputError, match="no regular expression"):
        constraints.json_schema({"type": "string", "pattern": "(" * 3}, MOST)


def test_too_few_tokens_are_refused_before_a_word_is_written(constraints: Constraints) -> None:
    schema = {"const": "a text that takes more than a handful of tokens"}
    Generate(messages="x", json_schema=schema)
    with pytest.raises(InputError, match="max_tokens"):
        constraints.json_schema(schema, 5)
