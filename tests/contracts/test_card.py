"""Cards: what a model can do, and what a request needs of it."""

from typing import Any

import pytest
from metier_contracts import Capabilities, GraphSchema, InputError, ModelCard


@pytest.mark.parametrize(
    ("given", "needs", "unmet"),
    [
        ({}, {}, []),
        ({"few_shot": True}, {"few_shot": True}, []),
        ({}, {"few_shot": True}, ["few_shot: needs yes"]),
        ({"modalities": ("text", "image")}, {"modalities": frozenset({"image"})}, []),
        ({}, {"modalities": frozenset({"image"})}, ["modalities: needs image"]),
        ({"labels": "open"}, {"labels": frozenset({"a", "b"})}, []),
        ({"labels": ("a", "b", "c")}, {"labels": frozenset({"a", "b"})}, []),
        ({"labels": ("a",)}, {"labels": frozenset({"a", "b"})}, ["labels: needs a, b"]),
        ({}, {"labels": frozenset({"a"})}, ["labels: needs a"]),
        ({"labels": ("a",)}, {"labels": "listed"}, []),
        ({"labels": "open"}, {"labels": "listed"}, ["labels: needs listed"]),
        ({"labels": ()}, {"labels": "listed"}, ["labels: needs listed"]),
        ({}, {"labels": "listed"}, ["labels: needs listed"]),
        ({"levels": ("node",)}, {"levels": frozenset({"graph"})}, ["levels: needs graph"]),
        ({}, {"graphs": GraphSchema(3, 0)}, []),
        ({"graphs": {"node_features": ["mass", "charge"], "undirected": True}}, {"graphs": GraphSchema(2, 0)}, []),
        (
            {"graphs": {"node_features": 2}},
            {"graphs": GraphSchema(3, 0)},
            ["graphs: takes GraphSchema(node_features=2), needs GraphSchema(node_features=3, edge_features=0)"],
        ),
        ({"dimensions": 3}, {"dimensions": 3}, []),
        ({"dimensions": 3}, {"dimensions": 4}, ["dimensions: needs 4"]),
        ({}, {"stream": True, "tools": True}, ["stream: needs yes", "tools: needs yes"]),
    ],
)
def test_unmet_needs_are_told(given: dict[str, Any], needs: dict[str, Any], unmet: list[str]) -> None:
    assert Capabilities(**given).unmet(needs) == unmet


@pytest.mark.parametrize(
    ("source", "remote"),
    [
        (None, False),
        ("hf:org/name", False),
        ("wheel:a==1#b", False),
        ("path:/x", False),
        ("http://x", True),
        ("https://x", True),
    ],
)
def test_a_card_with_an_address_is_remote(source: str | None, remote: bool) -> None:
    card = ModelCard(id="a", plugin="p", architecture="llm", licence="MIT", source=source, tasks={"generate": {}})
    assert card.remote is remote


def test_a_key_is_named_on_remote_cards_alone() -> None:
    fields: dict[str, Any] = {"id": "a", "plugin": "p", "architecture": "llm", "licence": "MIT"}
    fields["tasks"] = {"generate": {}}
    assert ModelCard(**fields, source="https://x", key_env="A_KEY").key_env == "A_KEY"
    with pytest.raises(InputError, match="key_env"):
        ModelCard(**fields, source="path:/x", key_env="A_KEY")
    with pytest.raises(InputError, match="key_env"):
        ModelCard(**fields, source="https://x", key_env="sk-0123456789")
