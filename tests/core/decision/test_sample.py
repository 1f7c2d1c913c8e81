"""Accuracy on a labelled sample."""

from __future__ import annotations

from typing import Any

import pytest
from metier import Runtime
from metier.decision.sample import Judge, macro_f1
from metier.intervals import wilson_interval
from metier_contracts import ExampleSet, InferenceError

SAMPLE = ExampleSet.from_pairs(
    [("good day", "good"), ("a bad one", "bad"), ("nothing bad here", "good"), ("bad bad", "bad")]
)


def test_the_share_of_right_answers_is_kept_with_its_interval(rt: Runtime, store: Any) -> None:
    (outcome,) = Judge(rt, store, SAMPLE).run(rt.model("acme/k").card)
    quality = outcome.quality
    assert quality is not None
    assert (quality.value, quality.count, quality.failures) == (0.75, 4, 0)
    assert (quality.low, quality.high) == wilson_interval(3, 4)
    assert quality.macro_f1 == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert quality.sample == SAMPLE.digest
    assert store.qualities("acme/k", "classify", quality.weights) == [quality]
    assert rt.model("acme/k").loaded_bytes is None


def test_a_sample_that_is_judged_is_not_judged_again_unless_asked(rt: Runtime, store: Any, probes: Any) -> None:
    card = rt.model("acme/k").card
    list(Judge(rt, store, SAMPLE).run(card))
    calls = len(probes["acme/k"].batches)
    assert [outcome.status for outcome in Judge(rt, store, SAMPLE).run(card)] == ["current"]
    assert len(probes["acme/k"].batches) == calls
    assert [outcome.status for outcome in Judge(rt, store, SAMPLE, again=True).run(card)] == ["measured"]
    other = ExampleSet.from_pairs([("good", "good"), ("bad", "bad")])
    assert [outcome.status for outcome in Judge(rt, store, other).run(card)] == ["measured"]


def test_a_text_that_the_model_fails_on_counts_as_wrong(rt: Runtime, store: Any, probes: Any, rules: Any) -> None:
    def answer(request: Any) -> Any:
        if "here" in request.text:
            return InferenceError("no luck")
        return rules.KeywordClassifier.respond(model, request)

    card = rt.model("acme/k").card
    model = rules.KeywordClassifier(card, None)
    probes["acme/k"].answer = answer
    (outcome,) = Judge(rt, store, SAMPLE).run(card)
    assert (outcome.quality.value, outcome.quality.failures) == (0.75, 1)


def test_a_model_that_fails_on_every_text_has_no_accuracy(rt: Runtime, store: Any, probes: Any) -> None:
    probes["acme/k"].answer = lambda request: InferenceError("no luck")
    (outcome,) = Judge(rt, store, SAMPLE).run(rt.model("acme/k").card)
    assert (outcome.status, outcome.quality) == ("failed", None)
    assert "no luck" in outcome.reason


def test_a_model_without_these_labels_is_left_out(plugins: Any, store: Any) -> None:
    card = plugins.model_card("acme/own", tasks={"classify": {"labels": ["yes", "no"]}})
    with Runtime(cards=[card]) as runtime:
        (outcome,) = Judge(runtime, store, SAMPLE).run(card)
    assert outcome.status == "left out"
    assert "bad, good" in outcome.reason


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    # Computed from Wilson's formula by hand, and as statsmodels' proportion_confint(method="wilson") gives them.
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (81, 263, 0.2553, 0.3662)],
)
def test_wilsons_interval(right: int, count: int, low: float, high: float) -> None:
    assert wilson_interval(right, count) == pytest.approx((low, high), abs=5e-5)


def test_macro_f1_is_the_mean_over_the_labels_of_the_sample() -> None:
    assert macro_f1(["a", "a", "b"], ["a", "a", "b"]) == 1.0
    assert macro_f1(["a", "a", "b"], ["b", None, "a"]) == 0.0
    assert macro_f1(["a", "a", "b", "b"], ["a", "b", "b", "b"]) == pytest.approx((2 / 3 + 4 / 5) / 2)


def test_a_model_that_needs_examples_is_shown_the_rest_of_the_sample(plugins: Any, probes: Any, store: Any) -> None:
    table = {"classify": {"labels": "open", "few_shot": True, "zero_shot": False}}
    plugins.write("acme", plugins.card("acme/shots", "keywords", tasks=table))
    sample = ExampleSet.from_pairs((f"text {number}", "ab"[number % 2]) for number in range(12))
    with Runtime() as rt:
        (outcome,) = Judge(rt, store, sample).run(rt.model("acme/shots").card)
    assert outcome.quality is not None
    asked = [request for batch in probes["acme/shots"].batches for request in batch]
    assert [request.text for request in asked] == list(sample.texts)
    for request in asked:
        assert request.text not in request.examples.texts
        assert len(request.examples) in (9, 10)
