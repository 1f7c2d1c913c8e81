"""What a request or a pipeline would use: the models, the bounds, and nothing loaded for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from metier import (
    Plan,
    Requirements,
    Runtime,
    Step,
    cache,
    cascade,
    each,
    fallback,
    parallel,
    private,
    retry,
    route,
    step,
    task,
)
from metier.decision.profile import Measurement, Profile
from metier.revisions import revision_of
from metier_contracts import (
    Classification,
    Classify,
    Embed,
    InputError,
    Labels,
    ModelCard,
    NoCapableModelError,
    PrivacyError,
    Request,
    UnknownModelError,
)

FREE = {"source": "a test", "date": "2026-11-01"}


@pytest.fixture
def rt(plugins: Any) -> Iterator[Runtime]:
    plugins.write(
        "acme",
        plugins.card("small", parameters=10**6, bytes=100),
        plugins.card("large", parameters=10**8, bytes=1000),
        plugins.card("vectors", "histogram", parameters=10**5, bytes=10),
        plugins.card("far", source="https://far.example", price={**FREE, "per_call": 2.0}),
    )
    with Runtime(privacy="any") as made:
        yield made


@task(model="small")
def cheap(text: str) -> Classify[str]:
    return Classify(text=text, labels=["good", "bad"])


@task(model="large")
def strong(text: str) -> Classify[str]:
    return Classify(text=text, labels=["good", "bad"])


@task(model="far")
def remote(text: str) -> Classify[str]:
    return Classify(text=text, labels=["good", "bad"])


@task
def vectors(text: str) -> Embed:
    return Embed(texts=[text])


@step
def label(verdict: Classification) -> str:
    return verdict.label


@step
def known(verdict: Classification) -> bool:
    return verdict.label == "good"


@step
def split(text: str) -> list[str]:
    return text.split()


def ways(plan: Plan) -> tuple[list[str | None], list[str | None]]:
    return [call.step for call in plan.cheapest.calls], [call.step for call in plan.dearest.calls]


PIPELINES: list[tuple[Step[Any, Any], list[str], list[str]]] = [
    (cheap, ["cheap"], ["cheap"]),
    (cheap >> label >> vectors, ["cheap", "vectors"], ["cheap", "vectors"]),
    (parallel(strong, cheap), ["strong", "cheap"], ["strong", "cheap"]),
    (route(cheap >> label).to({"good": strong, "bad": cheap}, default=strong), ["cheap", "cheap"], ["cheap", "strong"]),
    (route(cheap, step(str, takes=int, gives=str)), [], ["cheap"]),
    (cascade(cheap, strong, known), ["cheap"], ["cheap", "strong"]),
    (fallback(strong, cheap, cheap), ["strong"], ["strong", "cheap", "cheap"]),
    (retry(cheap, attempts=3), ["cheap"], ["cheap"] * 3),
    (cache(cheap >> label) >> vectors, ["vectors"], ["cheap", "vectors"]),
    (private(cheap), ["cheap"], ["cheap"]),
    (split >> each(cheap), ["cheap"], ["cheap"]),
    (
        cascade(cheap, fallback(remote, retry(strong, attempts=2)), known),
        ["cheap"],
        ["cheap", "remote", *2 * ["strong"]],
    ),
    (label, [], []),
]


@pytest.mark.parametrize(("pipeline", "least", "most"), PIPELINES, ids=[pipeline.name for pipeline, _, _ in PIPELINES])
def test_the_ways_through_a_pipeline(rt: Runtime, pipeline: Any, least: list[str], most: list[str]) -> None:
    plan = rt.plan(pipeline)
    assert ways(plan) == (least, most)
    assert {call.step for call in plan.calls} >= {*least, *most}
    assert len({(call.step, call.model) for call in plan.calls}) == len(plan.calls)


def test_a_path_is_the_sum_of_its_calls(rt: Runtime) -> None:
    plan = rt.plan(cascade(cheap, strong, known))
    one, other = plan.calls
    assert (one.model, other.model) == ("small", "large")
    assert one.p50 is not None
    assert other.p50 is not None
    assert plan.dearest.p50 == one.p50 + other.p50 > plan.cheapest.p50 == one.p50  # type: ignore[operator]
    assert plan.dearest.memory == 1100
    assert rt.plan(fallback(cheap, cheap)).dearest.memory == 100


def test_a_request_is_planned_at_its_own_size(rt: Runtime) -> None:
    short, long = (rt.plan(Classify(text="x" * size, labels=["good"]), model="small") for size in (10, 10_000))
    assert (short.cheapest, short.notes) == (short.dearest, ())
    assert short.calls[0].p50 < long.calls[0].p50  # type: ignore[operator]
    assert short.calls[0].figures == "card"


def test_the_price_of_a_remote_model(rt: Runtime) -> None:
    assert rt.plan(remote).dearest.cost == 2.0


def test_what_was_measured_here_counts(rt: Runtime) -> None:
    decider = rt._selector.decider
    card = rt.model("small").card
    profile = Profile(
        model="small",
        task="classify",
        source="measured",
        weights=revision_of(card),
        unit="characters",
        measurements=[Measurement(size=250, p50=0.25, p95=0.5)],
        memory=7,
        device="cpu",
        machine=decider.book.machine.digest,
    )
    decider.book.store.keep(profile)
    (call,) = rt.plan(cheap).calls
    assert (call.p50, call.p95, call.memory, call.figures) == (0.25, 0.5, 7, "measured")


def test_nothing_is_loaded(rt: Runtime, plugins: Any, probes: Any) -> None:
    rt.plan(cascade(cheap, strong, known))
    rt.plan(Classify(text="x", labels=["good"]))
    assert plugins.imported() == []
    assert not probes


def test_models_are_chosen_as_running_chooses_them(rt: Runtime) -> None:
    @task
    def free(text: str) -> Classify[str]:
        return Classify(text=text, labels=["good", "bad"])

    @task(require=Requirements(privacy="local"))
    def required(text: str) -> Classify[str]:
        return Classify(text=text, labels=["good", "bad"])

    for one in (free, required):
        assert rt.plan(one).calls[0].model == rt.run(one, "x").provenance.model
    assert rt.plan(Classify(text="x", labels=["good"]), require=Requirements(privacy="local")).calls[0].model == "small"


def test_private_data_are_kept_from_remote_models(rt: Runtime) -> None:
    with pytest.raises(PrivacyError, match="remote"):
        rt.plan(fallback(cheap, private(remote)))
    (call,) = rt.plan(private(task(name="any")(parse))).calls
    assert call.model == "small"


def parse(text: str) -> Classify[str]:
    return Classify(text=text, labels=["good", "bad"])


def test_what_is_not_known_is_said(rt: Runtime) -> None:
    stated = rt.model("small").card.model_dump(exclude_unset=True, exclude={"id", "parameters"})
    rt._catalog.add("runtime", ModelCard(**stated, id="dark"))

    @task(model="dark")
    def dark(text: str) -> Classify[str]:
        return Classify(text=text, labels=["good", "bad"])

    @task
    def anything(text: str) -> Request[Classification]:
        return parse(text)

    @step
    def pick(verdict: Annotated[str, Labels("good", "bad")]) -> str:
        return verdict

    plan = rt.plan(dark >> label >> pick >> anything)
    assert plan.dearest.p50 is None
    assert [note.partition(":")[0] for note in plan.notes] == [
        "bounds",
        "what dark takes is not known",
        "anything is left out",
    ]
    assert len(plan.unchecked) == 1
    assert "'label'" in plan.unchecked[0] or "label >> pick" in plan.unchecked[0]
    assert "metier calibrate dark" in plan.explain()
    assert "each(cheap) is counted for one member" in rt.plan(split >> each(cheap)).notes


def test_a_plan_for_people(rt: Runtime) -> None:
    lines = str(rt.plan(cascade(cheap, strong, known))).splitlines()
    assert lines[0].split() == ["step", "model", "size", "p50", "p95", "cost", "memory", "figures", "to", "do"]
    assert [line.split()[1] for line in lines[1:3]] == ["small", "large"]
    assert lines[3].startswith("cheapest: cheap: ")
    assert lines[4].startswith("dearest: cheap > strong: ")
    assert Plan.from_json(rt.plan(cheap).to_json()) == rt.plan(cheap)


def test_bad_targets(rt: Runtime) -> None:
    with pytest.raises(InputError, match="not a request"):
        rt.plan(5)  # type: ignore[call-overload]
    with pytest.raises(InputError, match="is for a request"):
        rt.plan(cheap, model="small")  # type: ignore[call-overload]
    with pytest.raises(UnknownModelError):
        rt.plan(Classify(text="x"), model="smal")
    with pytest.raises(NoCapableModelError):
        rt.plan(Classify(text="x", labels=["a"]), model="vectors")
