"""What holds in every combinator: cancelling reaches the model, and one failure leaves its neighbours alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from metier import Runtime, Step, cache, cascade, each, fallback, parallel, private, retry, route, step, task
from metier_contracts import Classification, Classify, InferenceError, MetierError

from tests.support.cancelling import cancel_at_work


@task(model="acme/k")
def judge(text: str) -> Classify[str]:
    return Classify(text=text, labels=["good", "bad"])


@step
def label(verdict: Classification) -> str:
    return verdict.label


@dataclass(frozen=True)
class Judged:
    verdict: Classification
    text: str


@step
def alone(text: str) -> list[str]:
    return [text]


@step
def same(text: str) -> str:
    return text


@step
def is_text(text: str) -> bool:
    return True


@step
def refused(verdict: object) -> bool:
    return False


def broken(text: str) -> Classification:
    raise ValueError(text)


WITHIN: dict[str, Callable[[], Step[str, Any]]] = {
    "a chain": lambda: same >> judge >> label,
    "parallel": lambda: parallel(judge, same),
    "parallel into": lambda: parallel(into=Judged, verdict=judge, text=same),
    "each": lambda: alone >> each(judge),
    "an arm": lambda: route(is_text).to({True: judge, False: judge}),
    "a key": lambda: route(judge >> label).to({"good": same}, default=same),
    "an arm by type": lambda: route(judge, step(str, takes=int, gives=str)),
    "the cheap step": lambda: cascade(judge, judge, lambda verdict: True),
    "the strong step": lambda: cascade(same >> step(lambda text: None, takes=str, gives=object), judge, refused),
    "the verdict": lambda: cascade(same, same, judge >> label >> is_text),
    "the first": lambda: fallback(judge, same >> step(broken)),
    "the second": lambda: fallback(step(broken), judge),
    "retry": lambda: retry(judge, wait=0),
    "cache": lambda: cache(judge),
    "private": lambda: private(judge),
    "all at once": lambda: alone >> each(retry(cache(private(fallback(cascade(judge, judge, refused), judge))))),
}


@pytest.fixture(params=WITHIN.values(), ids=WITHIN.keys())
def pipeline(request: pytest.FixtureRequest) -> Step[str, Any]:
    made: Step[str, Any] = request.param()
    return made


def test_cancelling_reaches_the_model(rt: Runtime, probes: Any, rules: Any, pipeline: Step[str, Any]) -> None:
    seen = cancel_at_work(probes["acme/k"], rules.Gate(), lambda: rt.arun(pipeline, "x"))
    rt.close()
    assert len(seen) == 1


def test_one_failure_leaves_its_neighbours_alone(rt: Runtime, probes: Any, pipeline: Step[str, Any]) -> None:
    whole = list(rt.map(pipeline, ["a", "c"]))
    right = probes["acme/k"].answer or (lambda request: Classification(label="good", scores={"good": 1.0, "bad": 0.0}))
    probes["acme/k"].answer = lambda request: InferenceError("no") if request.text == "b" else right(request)
    with Runtime(memory=1000) as other:
        first, failed, last = other.map(pipeline, ["a", "b", "c"], on_error="collect")
        with pytest.raises((MetierError, ValueError)):
            list(other.map(pipeline, ["a", "b", "c"]))
    assert isinstance(failed, MetierError | ValueError)
    assert type(first) is type(whole[0])
    assert type(last) is type(whole[1])
    assert not isinstance(first, Exception)
    assert not isinstance(last, Exception)
