"""`cascade`: what is accepted stays, the rest goes through the strong step as one batch."""

from __future__ import annotations

from typing import Any

import pytest
from metier import cascade, each, fallback, step, task
from metier_contracts import Classification, Classify, InferenceError, PipelineTypeError

LABELS = ("short", "long")


@task
def guess(text: str) -> Classify:
    return Classify(text=text, labels=LABELS)


@task
def ponder(text: str) -> Classify:
    return Classify(text=text.upper(), labels=LABELS)


@step
def is_long(verdict: Classification) -> bool:
    return verdict.label == "long"


def test_what_is_not_accepted_goes_on_as_one_batch(models: Any) -> None:
    outcomes = models.batch(cascade(guess, ponder, is_long), ["a", "abcdef", "bb"])
    assert [outcome.label for outcome in outcomes] == ["short", "long", "short"]
    assert models.batches == [["a", "abcdef", "bb"], ["A", "BB"]]


def test_nothing_goes_on_where_all_is_accepted(models: Any) -> None:
    models.batch(cascade(guess, ponder, lambda verdict: verdict.scores[verdict.label] > 0.5), ["a", "b"])
    assert models.batches == [["a", "b"]]


def test_a_failure_of_the_cheap_step_is_none_of_its_business(models: Any) -> None:
    models.failing = {"a"}
    refuse = cascade(guess, ponder, lambda verdict: False)
    outcomes = models.batch(refuse, ["a", "b"])
    assert isinstance(outcomes[0], InferenceError)
    assert models.batches[-1] == ["B"]
    assert models.run(fallback(refuse, ponder), "a").label == "short"


def test_a_failure_of_accept_fails_its_value_alone(models: Any) -> None:
    def choosy(verdict: Classification) -> bool:
        return {"long": True}[verdict.label]

    outcomes = models.batch(cascade(guess, ponder, choosy), ["a", "abcdef"])
    assert isinstance(outcomes[0], KeyError)
    assert outcomes[0].__notes__ == [f"in step {'choosy'!r}"]
    assert outcomes[1].label == "long"
    assert len(models.batches) == 1


def test_within_each_the_members_of_all_values_are_one_batch(models: Any) -> None:
    models.batch(each(cascade(guess, ponder, is_long)), [["a", "abcdef"], ["b"]])
    assert models.batches == [["a", "abcdef", "b"], ["A", "B"]]


def number(text: str) -> int:
    return len(text)


def of_text(text: str) -> bool:
    return bool(text)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: cascade(guess, ponder, of_text), "step 'guess' does not fit step 'of_text'"),
        (lambda: cascade(guess, step(abs, takes=int, gives=int), is_long), "cannot take the same value"),
        (lambda: cascade(step(number), step(number), step(abs, takes=int, gives=int)), "'abs' of cascade gives no"),
        (lambda: cascade(guess, len, is_long), "cascade takes steps"),
        (lambda: cascade(guess, ponder, len), "'len' cannot be used"),
    ],
)
def test_what_does_not_fit_is_refused_when_built(build: Any, message: str) -> None:
    with pytest.raises(PipelineTypeError, match=message):
        build()
