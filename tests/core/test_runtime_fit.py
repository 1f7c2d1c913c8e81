"""`Runtime.fit`: from a request to a model that is used by its id."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from metier import Runtime
from metier.paths import fitted_folder
from metier_contracts import (
    AnnotatedText,
    Classify,
    ClassifyFit,
    ContractViolation,
    DeadlineExceeded,
    Entity,
    ExampleSet,
    ExtractFit,
    InferenceError,
    InputError,
    MetierError,
    NoCapableModelError,
    UnknownModelError,
    UnsupportedError,
    WeightsError,
)

REQUEST = Classify(text="good good bad", labels=["good", "bad"])
ENTITIES = (Entity(text="a", label="letter", start=0, end=1),)
EXAMPLES = ExampleSet.from_pairs([("a fine day", "praise"), ("a rotten day", "blame"), ("so fine", "praise")])


def request_of(model: str = "mine/days", **fields: Any) -> ClassifyFit:
    return ClassifyFit(id=model, examples=EXAMPLES, **fields)


def test_a_fitted_model_is_used_by_its_id(rt: Runtime) -> None:
    card = rt.fit(request_of())
    day = Classify(text="a fine evening", labels=["praise", "blame"])
    assert rt.run(day, model="mine/days").label == "praise"
    assert card.id == "mine/days"
    assert card.lineage is not None
    assert card.lineage.base == "acme/fit"
    assert ("mine/days", "fitted") in [(info.card.id, info.origin) for info in rt.models()]
    with Runtime() as later:
        assert later.run(Classify(text="rotten"), model="mine/days").label == "blame"
        (info,) = [info for info in later.models() if info.card.id == "mine/days"]
        assert info.card == card
        assert info.pulled


def test_the_files_are_checked_when_they_are_used(rt: Runtime) -> None:
    card = rt.fit(request_of())
    folder = Path(str(card.source).removeprefix("path:"))
    counts = json.loads((folder / "words.json").read_text())
    assert counts["praise"]["fine"] == 2
    (folder / "words.json").write_text("{}")
    with pytest.raises(WeightsError, match=r"words\.json"):
        rt.run(Classify(text="x"), model="mine/days")


def test_a_choice_made_before_takes_the_new_model_in(rt: Runtime) -> None:
    day = Classify(text="a fine evening", labels=["praise", "blame"])
    assert rt.run(day).provenance.model == "acme/k"  # type: ignore[union-attr]
    with pytest.raises(NoCapableModelError):
        rt.run(Classify(text="a fine evening"))
    rt.fit(request_of())
    assert rt.run(Classify(text="a fine evening")).provenance.model == "mine/days"  # type: ignore[union-attr]


def test_progress_and_seed_reach_the_model(rt: Runtime, probes: Any) -> None:
    reports: list[Any] = []
    seeds: list[int | None] = []
    probes["acme/fit"].on_fit = lambda request, directory, context: seeds.append(context.seed)
    rt.fit(request_of(seed=7), progress=lambda *report: reports.append(report))
    assert reports == [(1, 3), (2, 3), (3, 3)]
    assert seeds == [7]


def test_an_id_that_is_taken(rt: Runtime, probes: Any) -> None:
    with pytest.raises(InputError, match="'acme/k' is taken"):
        rt.fit(request_of("acme/k"), replace=True)
    rt.fit(request_of())
    with pytest.raises(InputError, match="'mine/days' is taken") as caught:
        rt.fit(request_of())
    assert caught.value.expected == "a new id, or replace=True"
    assert probes["acme/fit"].loads == 1


def test_replace_takes_the_place_of_the_loaded_model(rt: Runtime, probes: Any) -> None:
    rt.fit(request_of())
    question = Classify(text="a fine evening", labels=["praise", "blame"])
    assert rt.run(question, model="mine/days").label == "praise"
    turned = ExampleSet.from_pairs([("fine", "blame"), ("rotten", "praise")])
    rt.fit(ClassifyFit(id="mine/days", examples=turned), replace=True)
    assert probes["mine/days"].closed == 1
    assert rt.run(question, model="mine/days").label == "blame"


def test_two_fits_of_one_id_at_once_leave_one_model(rt: Runtime, probes: Any, together: Any) -> None:
    outcomes = together([lambda: rt.fit(request_of())] * 6)
    assert sum(not isinstance(outcome, Exception) for outcome in outcomes) == 1
    assert {type(outcome) for outcome in outcomes if isinstance(outcome, Exception)} == {InputError}
    assert len(list(fitted_folder().iterdir())) == 1


@pytest.mark.parametrize(
    ("error", "kind"), [(ValueError("no luck"), InferenceError), (KeyboardInterrupt(), KeyboardInterrupt)]
)
def test_a_fit_that_fails_leaves_nothing(error: BaseException, kind: Any, rt: Runtime, probes: Any) -> None:
    def fail(*_: Any) -> None:
        raise error

    probes["acme/fit"].on_fit = fail
    with pytest.raises(kind):
        rt.fit(request_of())
    assert list(fitted_folder().iterdir()) == []
    with pytest.raises(UnknownModelError):
        rt.run(REQUEST, model="mine/days")
    probes["acme/fit"].on_fit = None
    rt.fit(request_of())


@pytest.mark.parametrize("drafted", [None, "mine/days", {"id": "mine/days"}])
def test_a_fit_that_returns_no_card_leaves_nothing(drafted: Any, rt: Runtime, probes: Any) -> None:
    probes["acme/fit"].drafted = lambda card: drafted
    with pytest.raises(ContractViolation, match="did not return what it fitted"):
        rt.fit(request_of())
    assert list(fitted_folder().iterdir()) == []


def test_a_base_that_cannot_be_fitted_from(rt: Runtime) -> None:
    with pytest.raises(UnsupportedError, match="'acme/k' cannot be fitted from") as caught:
        rt.fit(request_of(base="acme/k"))
    assert caught.value.got == "KeywordClassifier"
    assert caught.value.hint
    assert not fitted_folder().exists() or list(fitted_folder().iterdir()) == []


def test_a_fitted_model_is_a_base_too(rt: Runtime) -> None:
    rt.fit(request_of())
    card = rt.fit(request_of("mine/more", base="mine/days"))
    assert card.lineage is not None
    assert card.lineage.base == "mine/days"


def test_while_it_fits_the_base_does_nothing_else(rt: Runtime, probes: Any, rules: Any, start: Any) -> None:
    gate = rules.Gate()
    probes["acme/fit"].on_fit = lambda *_: gate()
    fitting = start(lambda: rt.fit(request_of()))
    gate.await_arrival()
    with pytest.raises(DeadlineExceeded):
        rt.run(REQUEST, model="acme/fit", deadline=0.01)
    assert probes["acme/fit"].batches == []
    gate.open()
    assert fitting.outcome().id == "mine/days"


def test_a_kind_of_fit_that_the_model_does_not_know(rt: Runtime) -> None:
    request = ExtractFit(id="mine/e", base="acme/fit", examples=[AnnotatedText(text="a", entities=ENTITIES)])
    with pytest.raises(MetierError):
        rt.fit(request)
    assert list(fitted_folder().iterdir()) == []
