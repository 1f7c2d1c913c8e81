"""`Runtime.fit(CascadeFit(...))`, and what comes of it, by way of small rule models."""

from __future__ import annotations

from typing import Any

import pytest
from metier import Runtime, private, task
from metier.revisions import revision_of
from metier_contracts import (
    BudgetExceededError,
    CascadeFit,
    Classification,
    Classify,
    ExampleSet,
    InferenceError,
    InputError,
    ModelCard,
    NoCapableModelError,
    PrivacyError,
    UnknownModelError,
    UnsupportedError,
)

LABELS = ("good", "bad")
N = 320
SAMPLE = ExampleSet.from_pairs([(f"{n} good" if n % 2 else f"{n} bad", "good" if n % 2 else "bad") for n in range(N)])
PRICE = {"source": "the list", "date": "2026-01-01"}


def score(label: str, best: float) -> Classification:
    other = LABELS[1 - LABELS.index(label)]
    return Classification(label=label, scores={label: best, other: 1 - best})


def cheap(request: Any) -> Classification:
    """Right and sure for the odd numbers and for half of the even ones; of the rest it always says good, unsure."""
    number, label = request.text.split()
    if int(number) % 4 == 0:
        return score("good", 0.6)
    return score(label, 0.95)


def strong(request: Any) -> Classification:
    return score(request.text.split()[1], 0.99)


@pytest.fixture
def rt(plugins: Any, probes: Any) -> Any:
    plugins.write(
        "acme",
        plugins.card("acme/cheap", bytes=100, price={"per_call": 0.001, **PRICE}),
        plugins.card("acme/strong", bytes=100, parameters=20, price={"per_call": 0.01, **PRICE}),
    )
    probes["acme/cheap"].answer, probes["acme/strong"].answer = cheap, strong
    with Runtime(memory=1000) as made:
        yield made


def request_of(**fields: Any) -> CascadeFit:
    given = {"id": "mine/cascade", "cheap": "acme/cheap", "strong": "acme/strong", "labelled": SAMPLE, **fields}
    return CascadeFit(**given)


def test_a_cascade_is_used_by_its_id(rt: Runtime, probes: Any) -> None:
    rt.fit(request_of())
    probes["acme/cheap"].batches.clear()
    probes["acme/strong"].batches.clear()
    asked = [Classify(text=text) for text in ("1 good", "4 bad", "2 bad", "8 bad")]
    answers = list(rt.map(asked, model="mine/cascade"))
    assert [answer.label for answer in answers] == ["good", "bad", "bad", "bad"]
    assert (probes["acme/cheap"].sizes, probes["acme/strong"].sizes) == ([4], [2])


def test_the_report(rt: Runtime) -> None:
    card = rt.fit(request_of())
    assert card.cascade is not None
    assert card.cascade.threshold == 0.95
    report = card.cascade.report
    assert report is not None
    assert (report.kept, report.losses, report.gains, report.examples) == (0.75, 0, 0, N)
    assert (report.cheap.accuracy, report.strong.accuracy, report.cascade.accuracy) == (0.75, 1, 1)
    assert report.cascade.cost == pytest.approx(1 + 0.25 * 10)
    assert report.mixed_by == "cost"
    assert report.random_mix.cost == pytest.approx(report.cascade.cost)
    assert report.random_mix.accuracy == pytest.approx(0.75 + 0.25 * 2.5 / 9)
    assert report.best_single == "acme/strong"
    assert report.calibration_error == pytest.approx(0.75 * 0.05 + 0.25 * 0.6)


def test_the_card(rt: Runtime) -> None:
    card = rt.fit(request_of())
    assert (card.plugin, card.source, card.remote, card.tasks["classify"].labels) == (
        "metier",
        None,
        False,
        ("bad", "good"),
    )
    assert card.price is not None
    assert card.price.per_call == pytest.approx(0.0035)
    assert card.lineage is not None
    assert (card.lineage.method, card.lineage.num_examples) == ("cascade", N)
    assert card.lineage.examples_sha256 == SAMPLE.digest
    assert ModelCard.from_json(card.to_json()) == card
    with Runtime() as later:
        (info,) = [info for info in later.models() if info.card.id == "mine/cascade"]
        assert (info.card, info.origin, info.state, info.pulled) == (card, "fitted", "ready", True)


def test_seconds_and_cost_are_those_of_both(rt: Runtime) -> None:
    rt.fit(request_of())
    kept = rt.run(Classify(text="1 good"), model="mine/cascade").provenance
    handed_on = rt.run(Classify(text="4 bad"), model="mine/cascade").provenance
    assert kept is not None
    assert handed_on is not None
    assert [part.model for part in kept.parts] == ["acme/cheap"]
    assert [part.model for part in handed_on.parts] == ["acme/cheap", "acme/strong"]
    assert (kept.model, kept.plugin, handed_on.model) == ("mine/cascade", "metier", "mine/cascade")
    assert (kept.cost, handed_on.cost) == pytest.approx((0.001, 0.011))
    assert handed_on.seconds == sum(part.seconds for part in handed_on.parts)


def test_the_calls_of_the_members_are_what_is_counted(rt: Runtime) -> None:
    rt.fit(request_of())
    with rt.metered() as meter:
        answers = list(rt.map([Classify(text=text) for text in ("1 good", "4 bad")], model="mine/cascade"))
    costs = [answer.provenance.cost for answer in answers if answer.provenance is not None]
    assert {model: usage.requests for model, usage in meter.usage.models.items()} == {"acme/cheap": 2, "acme/strong": 1}
    assert meter.usage.cost == pytest.approx(sum(costs)) == pytest.approx(0.012)


def test_a_budget_holds_for_the_members(rt: Runtime) -> None:
    rt.fit(request_of())
    assert rt.run(Classify(text="1 good"), model="mine/cascade", max_cost=0.0015).label == "good"
    with pytest.raises(BudgetExceededError, match="past its budget"):
        rt.run(Classify(text="4 bad"), model="mine/cascade", max_cost=0.0015)


def test_in_a_pipeline(rt: Runtime) -> None:
    rt.fit(request_of())

    @task(model="mine/cascade")
    def triage(text: str) -> Classify:
        return Classify(text=text)

    assert [answer.label for answer in rt.map(triage, ["1 good", "4 bad"])] == ["good", "bad"]


def test_progress_goes_over_both(rt: Runtime) -> None:
    reports: list[Any] = []
    rt.fit(request_of(), progress=lambda *report: reports.append(report))
    assert reports[-1] == (2 * N, 2 * N)
    assert reports == sorted(reports)


def test_a_sample_that_is_too_small_is_refused_before_any_model_runs(rt: Runtime, probes: Any) -> None:
    few = ExampleSet(examples=SAMPLE.examples[:200])
    with pytest.raises(InputError, match="too small") as caught:
        rt.fit(request_of(labelled=few))
    assert "at least 299" in str(caught.value.expected)
    assert probes["acme/cheap"].batches == []
    with pytest.raises(InputError, match="nothing at all"):
        rt.fit(request_of(max_loss=0))
    rt.fit(request_of(labelled=few, max_loss=0.05))


def test_a_cheap_model_that_is_wrong_where_it_is_surest(rt: Runtime, probes: Any) -> None:
    probes["acme/cheap"].answer = lambda request: score("good", 0.99)
    with pytest.raises(InputError, match="no threshold") as caught:
        rt.fit(request_of())
    assert "another cheap model" in str(caught.value.expected)


def test_texts_that_a_model_has_learned_from_test_nothing(rt: Runtime, plugins: Any) -> None:
    lineage = {"base": "x", "method": "head", "examples_sha256": SAMPLE.digest, "num_examples": N, "created": "now"}
    learned = plugins.model_card("acme/learned", lineage=lineage)
    with Runtime(cards=[learned]) as runtime, pytest.raises(InputError, match="has learned from the very texts"):
        runtime.fit(request_of(cheap="acme/learned"))


def test_other_labels_are_refused_one_by_one(rt: Runtime) -> None:
    rt.fit(request_of())
    asked = [Classify(text="1 good", labels=["good"]), Classify(text="1 good", labels=["good", "bad"])]
    narrow, whole = rt.map(asked, model="mine/cascade", on_error="collect")
    assert isinstance(narrow, UnsupportedError)
    assert isinstance(whole, Classification)


def test_what_the_cheap_model_fails_at_is_handed_on(rt: Runtime, probes: Any) -> None:
    rt.fit(request_of())
    probes["acme/cheap"].answer = lambda request: InferenceError("no luck")
    answer = rt.run(Classify(text="1 good"), model="mine/cascade")
    assert answer.label == "good"
    assert answer.provenance is not None
    assert [part.model for part in answer.provenance.parts] == ["acme/strong"]


def test_a_member_that_is_gone_or_another(rt: Runtime, plugins: Any) -> None:
    card = rt.fit(request_of())
    assert card.cascade is not None
    other = plugins.model_card("acme/strong", options={"kind": "keywords", "more": 1})
    with Runtime(cards=[other]) as runtime, pytest.raises(NoCapableModelError, match="no longer the one"):
        runtime.run(Classify(text="1 good"), model="mine/cascade")
    orphan = card.model_copy(
        update={"id": "mine/orphan", "cascade": card.cascade.model_copy(update={"strong": "acme/gone"})}
    )
    with Runtime(cards=[orphan]) as runtime:
        with pytest.raises(UnknownModelError, match="lacks its model 'acme/gone'"):
            runtime.run(Classify(text="1 good"), model="mine/orphan")
        (info,) = [info for info in runtime.models() if info.card.id == "mine/orphan"]
        assert (info.state, info.fix) == ("available", "it lacks acme/gone")


def test_a_cascade_with_a_remote_member_is_remote(plugins: Any, probes: Any, rt: Runtime) -> None:
    far = plugins.model_card("acme/far", source="https://example.org/v1")
    probes["acme/far"].answer = strong
    with Runtime(cards=[far]) as runtime, pytest.raises(NoCapableModelError, match="remote"):
        runtime.fit(request_of(strong="acme/far"))
    with Runtime(cards=[far], privacy="any") as runtime:
        assert runtime.fit(request_of(strong="acme/far")).remote

        @task(model="mine/cascade")
        def triage(text: str) -> Classify:
            return Classify(text=text)

        assert runtime.run(triage, "4 bad").label == "bad"
        with pytest.raises(PrivacyError, match="remote"):
            runtime.run(private(triage), "4 bad")
    with Runtime(cards=[far]) as runtime, pytest.raises(NoCapableModelError, match="remote"):
        runtime.run(Classify(text="1 good"), model="mine/cascade")


def test_load_and_pull_reach_the_members(rt: Runtime, probes: Any) -> None:
    rt.fit(request_of())
    rt.unload("acme/cheap")
    rt.load("mine/cascade")
    assert probes["acme/cheap"].loads == 2
    assert rt.pull("mine/cascade") is None


def test_weights_that_were_moved_are_of_the_same_revision(plugins: Any) -> None:
    here, there = (
        plugins.model_card("acme/a", source=source, sha256={"w": "0" * 64}) for source in ("path:/a", "path:/b")
    )
    assert revision_of(here) == revision_of(there)
    assert revision_of(here) != revision_of(here.model_copy(update={"sha256": {"w": "1" * 64}}))
