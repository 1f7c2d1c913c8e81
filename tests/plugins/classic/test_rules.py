"""Classification by rules on a card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from metier import Runtime
from metier_contracts import Classification, Classify, ConfigError, ModelCard, NoCapableModelError

RULES = {"urgent": ["\\bat once\\b", "asap", "emergency"], "money": ["invoice", "refund"]}


def card(labels: Any = ("urgent", "money", "other"), **options: Any) -> ModelCard:
    return ModelCard.from_mapping(
        {
            "id": "desk/rules",
            "plugin": "classic",
            "architecture": "rule",
            "licence": "proprietary",
            "thread_safe": True,
            "options": {"loader": "rules", "rules": RULES, **options},
            "tasks": {"classify": {"labels": labels, "multi_label": True}},
        }
    )


def classified(text: str, given: ModelCard | None = None, **fields: Any) -> Classification[str]:
    with Runtime(cards=[given or card(otherwise="other")]) as runtime:
        return runtime.run(Classify(text=text, **fields), model="desk/rules")


@pytest.mark.parametrize(
    ("text", "scores"),
    [
        ("Come AT ONCE, asap", {"urgent": 1.0, "money": 0.0, "other": 0.0}),
        ("Refund my invoice asap", {"urgent": 1 / 3, "money": 2 / 3, "other": 0.0}),
        ("asap asap asap refund", {"urgent": 0.5, "money": 0.5, "other": 0.0}),
        ("Good morning", {"urgent": 0.0, "money": 0.0, "other": 1.0}),
    ],
)
def test_scores_are_shares_of_the_rules_found(text: str, scores: Mapping[str, float]) -> None:
    answer = classified(text)
    assert answer.scores == pytest.approx(scores)
    assert answer.label == max(scores, key=lambda label: scores[label])


def test_each_label_for_itself() -> None:
    assert classified("refund asap", multi_label=True).above() == ("urgent", "money")
    assert classified("hello", multi_label=True).above() == ("other",)


def test_without_a_label_for_the_rest_all_are_alike() -> None:
    answer = classified("hello", card(("urgent", "money")))
    assert answer.scores == {"urgent": 0.5, "money": 0.5}


def test_the_label_of_the_rest_may_not_be_among_those_asked_for() -> None:
    assert classified("hello", labels=["urgent", "money"]).scores == {"urgent": 0.5, "money": 0.5}
    assert classified("asap", labels=["urgent", "money"]).label == "urgent"


def test_other_labels_and_pictures_pass_it_by() -> None:
    with pytest.raises(NoCapableModelError):
        classified("x", labels=["urgent", "spam"])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (card(("urgent", "money")), "spam"),
        (card("open", otherwise="other"), "open"),
        (card(("urgent",)), "money"),
    ],
)
def test_labels_are_those_of_the_rules(given: ModelCard, words: str) -> None:
    options = {**given.options, "otherwise": "spam"} if words == "spam" else given.options
    with (
        Runtime(cards=[given.model_copy(update={"options": options})]) as runtime,
        pytest.raises(ConfigError, match=words),
    ):
        runtime.load("desk/rules")


def test_a_rule_that_is_no_expression_is_told() -> None:
    broken = card(("a",), rules={"a": ["(unclosed"]})
    with Runtime(cards=[broken]) as runtime, pytest.raises(ConfigError, match="unclosed"):
        runtime.load("desk/rules")
