"""Each invariant of each task refuses what breaks it, names the field, and lets the samples pass."""

import numpy as np
import pytest
from metier_contracts import TASKS, Capabilities, Classification, Classify, Embedding, Ranking
from metier_contracts.invariants import descending, finite, length

from .broken import BROKEN, Broken
from .samples import EXCHANGES

INVARIANTS = {
    f"{name}: {invariant.__name__}": invariant for name, task in TASKS.items() for invariant in task.invariants
}


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN)
def test_a_broken_response_is_refused_for_that_invariant_alone(case: Broken) -> None:
    exchange = case.exchange
    found = {
        invariant: violation
        for invariant in exchange.task.invariants
        if (violation := invariant(exchange.request, case.response, exchange.capabilities)) is not None
    }
    assert set(found) == {case.invariant}
    assert exchange.task.violation(exchange.request, case.response, exchange.capabilities) == found[case.invariant]


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN)
def test_a_violation_names_the_field_and_says_little(case: Broken) -> None:
    violation = case.exchange.task.violation(case.exchange.request, case.response, case.exchange.capabilities)
    assert violation is not None
    assert violation.field == case.field
    assert case.field in type(case.response).model_fields
    assert violation.expected
    assert violation.got
    assert len(violation.expected + violation.got) < 300


@pytest.mark.parametrize("invariant", INVARIANTS.values(), ids=INVARIANTS)
def test_every_invariant_has_a_case(invariant) -> None:
    assert any(case.invariant is invariant for case in BROKEN.values())


def test_every_case_breaks_an_invariant_of_the_package() -> None:
    assert {case.invariant for case in BROKEN.values()} == set(INVARIANTS.values())


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_invariants_with_a_docstring(name: str) -> None:
    assert TASKS[name].invariants
    assert all(invariant.__doc__ for invariant in TASKS[name].invariants)


@pytest.mark.parametrize("name", EXCHANGES)
def test_a_response_of_another_task_is_refused(name: str) -> None:
    exchange = EXCHANGES[name]
    other = Ranking(order=(), scores=()) if exchange.request.task != "rank" else Embedding(vectors=[[1]])
    violation = exchange.task.violation(exchange.request, other, exchange.capabilities)
    assert violation is not None
    assert (violation.field, violation.got) == ("response", f"a {type(other).__name__}")


def test_a_violation_of_a_thousand_labels_is_short() -> None:
    labels = [f"label number {i}" for i in range(1000)]
    request = Classify(text="x", labels=labels)
    for response in (
        Classification(label="a", scores={"a": 1.0}),
        Classification(label=labels[1], scores={label: float(label == labels[0]) for label in labels}),
    ):
        violation = TASKS["classify"].violation(request, response, Capabilities())
        assert violation is not None
        assert len(violation.expected + violation.got) < 500


def test_descending() -> None:
    assert descending("f", [3, 2, 2, 1]) is None
    assert descending("f", []) is None
    assert descending("f", [1, 2]).got == "1 before 2"
    assert descending("f", [1.0, float("nan")]) is not None


def test_length() -> None:
    assert length("f", 2, 2, "point") is None
    assert length("f", 2, 3, "point").expected == "3 entries, one for each point"


@pytest.mark.parametrize(("value", "holds"), [(1.0, True), (np.nan, False), (np.inf, False), (-np.inf, False)])
def test_finite(value: float, holds: bool) -> None:
    assert (finite("f", [0.0, value]) is None) is holds
