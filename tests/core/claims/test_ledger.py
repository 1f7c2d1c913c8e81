"""What the ledger concludes from what each way did."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from metier.claims.intervals import Interval
from metier.claims.ledger import Claim, claim, verdict
from metier.claims.measure import Done, Rounds, Trial
from metier.claims.tables import cells, notes, summary
from metier.claims.work import Asked, Metric, Rule, Work, is_right
from metier_contracts import ModelCard

ITEMS = [SimpleNamespace(label="ab"[place % 2]) for place in range(40)]
TRUTH = [item.label for item in ITEMS]
WRONG = ["c"] * 40


def asked(name: str, role: Any) -> Asked:
    return Asked(name, role, name, "labels", ask=lambda items: [], read=lambda items, responses: [])


def work(metric: Metric | None = None) -> Work:
    ways = (asked("lm", "language model"), asked("small", "specialist"))
    metric = metric or Metric("accuracy", higher_is_better=True, parts=is_right, is_share=True)
    return Work("classify", "Letters", "Made up.", metric, ITEMS, (*ways, Rule("a", "-", lambda item: "a")), timed=4)


def done(answers: list[Any], one_by_one: float, together: float, dollars: float | None = 7200.0) -> Done:
    rounds = Rounds((one_by_one, 2 * one_by_one, one_by_one), (together, 2 * together, together))
    return Done(answers, rounds=rounds, dollars_per_hour=dollars, tokens=(1000.0, 10.0))


def priced(model: str, **price: float) -> ModelCard:
    return ModelCard.from_mapping(
        {
            "id": model,
            "plugin": "acme",
            "architecture": "llm",
            "licence": "proprietary",
            "source": "https://example.org/v1",
            "price": {"source": "a list", "date": "2026-01-31", **price},
            "tasks": {"generate": {}},
        }
    )


def ledger(small: Done, **fields: Any) -> Claim:
    half = TRUTH[:20] + WRONG[:20]
    return claim(
        fields.get("work") or work(),
        [done(half, 4.0, 3.0), small, Done(["a"] * 40)],
        fields.get("trials", []),
        fields.get("cards", []),
    )


def test_the_specialist_is_compared_with_the_language_model() -> None:
    (one,) = ledger(done(TRUTH, 0.5, 0.1)).comparisons
    assert (one.specialist, one.language_model, one.gain, one.quality) == ("small", "lm", 0.5, "better")
    assert 0.3 < one.gain_interval.low < 0.5 < one.gain_interval.high < 0.7


def test_each_is_timed_as_it_is_asked_best() -> None:
    claimed = ledger(done(TRUTH, 0.1, 0.5))
    assert [row.asked for row in claimed.rows] == ["together", "one by one", None]
    (one,) = claimed.comparisons
    assert (one.quicker, one.cheaper) == (pytest.approx(30), pytest.approx(30))
    assert one.cheaper_range == Interval(pytest.approx(30), pytest.approx(30))
    assert claimed.rows[0].dollars == pytest.approx(3 * 2 * 1000)
    assert one.in_words() == "30 times cheaper, quality better"
    assert one.holds


def test_a_claim_that_does_not_hold_is_told_so() -> None:
    dearer = ledger(done(TRUTH, 30.0, 30.0)).comparisons[0]
    assert (dearer.in_words(), dearer.holds) == ("10 times dearer, quality better", False)
    worse = ledger(done(WRONG, 0.1, 0.1)).comparisons[0]
    assert (worse.quality, worse.holds) == ("worse", False)
    nearly = ledger(done(TRUTH, 0.4, 0.4)).comparisons[0]
    assert (round(nearly.cheaper or 0, 2), nearly.holds) == (7.5, False)


def test_where_less_is_better_the_gain_changes_its_sign() -> None:
    errors = Metric("error", higher_is_better=False, parts=lambda item, answer: (float(answer != item.label), 1.0))
    (one,) = ledger(done(TRUTH, 0.1, 0.1), work=work(errors)).comparisons
    assert (one.gain, one.quality) == (0.5, "better")


def test_without_a_price_the_time_is_told_alone() -> None:
    (one,) = ledger(done(TRUTH, 0.1, 0.1, dollars=None)).comparisons
    assert (one.cheaper, one.holds) == (None, False)
    assert one.in_words().startswith("30 times quicker")


def test_a_remote_model_is_paid_by_the_call() -> None:
    paid = Done(TRUTH, rounds=Rounds((1.0,), (2.0,)), dollars_per_item=0.25)
    assert paid.dollars == (0.25,)


def test_the_interval_decides_the_verdict() -> None:
    assert verdict(Interval(0.01, 0.2)) == "better"
    assert verdict(Interval(-0.2, -0.01)) == "worse"
    assert verdict(Interval(-0.1, 0.1)) == "not told apart"


def test_remote_models_with_a_price_are_reckoned_the_cheapest_first() -> None:
    cards = [
        priced("acme/large", per_million_input_tokens=10.0, per_million_output_tokens=100.0),
        priced("acme/small", per_million_input_tokens=1.0),
    ]
    claimed = ledger(done(TRUTH, 0.1, 0.1), cards=cards)
    assert [(one.model, round(one.dollars, 6)) for one in claimed.remote] == [("acme/small", 1.0), ("acme/large", 11.0)]
    assert "Computed, not called, quality unknown: about 1000 tokens read" in notes(claimed.to_json())[-1]


def test_trials_are_told() -> None:
    claimed = ledger(done(TRUTH, 0.1, 0.1), trials=[Trial("lm, examples", "3 examples", 20, 0.25)])
    assert "Trial on 20 other items: lm, examples (given 3 examples), accuracy 0.250." in notes(claimed.to_json())


def test_the_table_holds_every_way_and_the_summary_every_comparison() -> None:
    written = ledger(done(TRUTH, 0.5, 0.1)).to_json()
    assert [line[0] for line in cells(written)] == ["lm", "small", "a"]
    assert [(line[1], line[-2:]) for line in summary([written])] == [("small", ["better", "yes"])]
