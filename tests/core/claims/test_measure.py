"""Doing work in rounds."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from metier import Runtime
from metier.claims.measure import Rounds, choose, do
from metier.claims.work import Asked, Metric, Rule, Work, each, is_right
from metier_contracts import Classify, Request, UnknownModelError

LABELS = ("outage", "billing")
ITEMS = [SimpleNamespace(text=f"{label} {place}", label=label) for place, label in enumerate((*LABELS, "billing") * 3)]


def way(name: str, model: str = "acme-keywords", role: Any = "language model", words: str = "") -> Asked:
    def ask(items: Any) -> list[Request[Any]]:
        return [Classify(text=words or item.text, labels=LABELS) for item in items]

    return Asked(name, role, model, "labels", ask, each(lambda _, response: response.label))


def work(*ways: Asked | Rule) -> Work:
    metric = Metric("accuracy", higher_is_better=True, parts=is_right, is_share=True)
    return Work("classify", "Letters", "", metric, ITEMS[:7], ways, timed=2, trial=ITEMS[7:])


@pytest.fixture
def runtime(plugins: Any) -> Any:
    plugins.write("acme", plugins.card("acme-keywords"))
    with Runtime() as made:
        yield made


def quiet(_: str) -> None:
    """Report nowhere."""


@pytest.mark.parametrize("rounds", [1, 2, 3, 7, 20])
def test_answers_come_in_the_order_of_the_items_however_many_rounds(runtime: Runtime, rounds: int) -> None:
    asked, rule = do(runtime, work(way("lm"), Rule("text", "-", lambda item: item.text)), rounds, quiet)
    assert asked.answers == [item.label for item in ITEMS[:7]]
    assert rule.answers == [item.text for item in ITEMS[:7]]
    assert len(asked.seconds) == min(rounds, 7)
    assert all(seconds > 0 for seconds in asked.seconds)
    assert (rule.seconds, rule.dollars, rule.tokens) == ((), (), None)


def test_the_best_way_on_the_trial_is_kept(runtime: Runtime) -> None:
    ways = (way("blind", words="outage"), way("seeing"), way("small", role="specialist"))
    chosen, trials = choose(runtime, work(*ways), quiet)
    assert [one.name for one in chosen.ways] == ["seeing", "small"]
    assert [(trial.name, trial.items, trial.quality) for trial in trials] == [("blind", 2, 0.0), ("seeing", 2, 1.0)]


def test_one_way_needs_no_trial(runtime: Runtime) -> None:
    given = work(way("lm"), way("small", role="specialist"))
    assert choose(runtime, given, quiet) == (given, [])


def test_a_model_that_can_answer_nothing_is_no_bad_answer(runtime: Runtime) -> None:
    with pytest.raises(UnknownModelError):
        do(runtime, work(way("lm", model="acme-absent")), 2, quiet)


def test_the_quicker_way_to_ask_is_the_one_with_the_lower_median() -> None:
    assert Rounds((1.0, 1.0, 9.0), (2.0, 2.0, 2.0)).best == (1.0, 1.0, 9.0)
    assert Rounds((3.0, 1.0, 9.0), (2.0, 2.0, 2.0)).best == (2.0, 2.0, 2.0)
