"""Planning a pipeline by a sample: what its values went through, at the seconds of the models' profiles."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from metier import (
    Plan,
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
    traces,
)
from metier.decision.likely import planned_like
from metier.decision.plan import Likely, PlannedCall
from metier.decision.profile import Measurement, Profile
from metier.pipeline.trace import Asked, Beside, Entry, Trace, Worked, note_answers
from metier.revisions import revision_of
from metier_contracts import (
    Classification,
    Classify,
    Embed,
    Generate,
    Generation,
    InferenceError,
    InputError,
    PrivacyError,
    Provenance,
    Sampling,
    Size,
)

SECONDS = {"small": 0.001, "large": 0.1, "vectors": 0.01}  # a character


@pytest.fixture
def rt(plugins: Any) -> Iterator[Runtime]:
    """Models whose requests take so many seconds a character, at the p95 twice that, and 4 together half as long."""
    plugins.write(
        "acme",
        plugins.card("small", parameters=10**6),
        plugins.card("large", parameters=10**8),
        plugins.card("vectors", "histogram", parameters=10**5),
        plugins.card("writer", "echo", parameters=10**7),
        plugins.card("far", source="https://far.example", price={"source": "a", "date": "2026-11-01", "per_call": 2.0}),
    )
    with Runtime(privacy="any") as made:
        for model, seconds in SECONDS.items():
            keep(made, model, [(1, 1, seconds), (101, 1, 101 * seconds), (1, 4, 2 * seconds)])
        yield made


def keep(rt: Runtime, model: str, taken: Sequence[tuple[int, int, float]], **fields: Any) -> None:
    card, book = rt.model(model).card, rt._selector.decider.book
    (task,) = card.tasks
    measurements = [Measurement(size=size, batch=batch, p50=p50, p95=2 * p50) for size, batch, p50 in taken]
    basis: dict[str, Any] = {"unit": "characters", "memory": 100, "machine": book.machine.digest, "device": "cpu"}
    held = {"measurements": measurements, **basis, **fields}
    book.store.keep(Profile(model=model, task=task, source="measured", weights=revision_of(card), **held))


@task(model="small")
def cheap(text: str) -> Classify[str]:
    return Classify(text=text, labels=["good", "bad"])


@task(model="large")
def strong(text: str) -> Classify[str]:
    return Classify(text=text, labels=["good", "bad"])


@task(model="vectors")
def vectors(text: str) -> Embed:
    return Embed(texts=[text])


@step
def label(verdict: Classification) -> str:
    return verdict.label


@step
def is_good(verdict: Classification) -> bool:
    return verdict.label == "good"


@step
def split(text: str) -> list[str]:
    return text.split()


@step
def picky(text: str) -> str:
    if "bad" in text:
        raise ValueError(text)
    return text


@step
def number(value: int) -> int:
    return value


def likely(plan: Plan) -> Likely:
    assert plan.likely is not None
    return plan.likely


def ran(rt: Runtime, pipeline: Step[Any, Any], values: Sequence[Any]) -> Likely:
    for _ in rt.map(pipeline, values, on_error="collect"):
        pass
    return likely(rt.plan(pipeline, like=values))


desk = route(cheap >> label).to({"bad": strong >> label}, default=step(str, takes=str, gives=str, name="as it is"))
VALUES = ["good", "good one", "bad", "very good"]
PATHS: list[tuple[Step[Any, Any], dict[tuple[str, ...], float]]] = [
    (cheap >> label, {("cheap", "label"): 1.0}),
    (desk, {("cheap", "label", "as it is"): 0.75, ("cheap", "label", "strong"): 0.25}),
    (cascade(cheap, strong, is_good), {("cheap", "is_good"): 0.75, ("cheap", "is_good", "strong"): 0.25}),
    (fallback(picky, label_of := cheap >> label), {("picky",): 0.75, ("picky", "cheap", "label"): 0.25}),
    (parallel(cheap >> label, vectors), {("cheap", "label", "vectors"): 1.0}),
    (split >> each(vectors), {("split", "vectors"): 1.0}),
    (retry(cheap), {("cheap",): 1.0}),
    (private(cheap), {("cheap",): 1.0}),
    (cache(cheap) >> label, {("cheap", "label"): 1.0}),
    (picky >> cheap, {("picky", "cheap"): 0.75, ("picky", "failed"): 0.25}),
    (route(number, picky >> label_of), {("picky", "cheap", "label"): 0.75, ("picky", "failed"): 0.25}),
]


@pytest.mark.parametrize(("pipeline", "paths"), PATHS, ids=[pipeline.name for pipeline, _ in PATHS])
def test_the_shares_of_the_paths(rt: Runtime, pipeline: Any, paths: dict[tuple[str, ...], float]) -> None:
    together = ran(rt, pipeline, VALUES)
    assert {path.steps: path.share for path in together.paths} == paths
    assert [path.share for path in together.paths] == sorted(paths.values(), reverse=True)
    assert sum(path.values for path in together.paths) == together.values == 4


@pytest.mark.parametrize("pipeline", [pipeline for pipeline, _ in PATHS], ids=[one.name for one, _ in PATHS])
def test_a_batch_and_single_runs_put_down_the_same(plugins: Any, rt: Runtime, pipeline: Any) -> None:
    ran(rt, pipeline, VALUES)
    with Runtime(privacy="any") as other:
        for value in VALUES:
            ran(other, pipeline, [value])
        one, two = (runtime.plan(pipeline, like=VALUES) for runtime in (rt, other))
        assert (one.calls, one.cheapest, one.dearest) == (two.calls, two.cheapest, two.dearest)
        for value in VALUES:
            assert rt.plan(pipeline, like=[value]).calls == other.plan(pipeline, like=[value]).calls


def test_seconds_follow_the_sizes(rt: Runtime) -> None:
    for text in ("good", "a good one", "good" * 20):
        found = ran(rt, cheap, [text])
        assert found.p50 == pytest.approx(0.001 * len(text), abs=2e-3)
        assert found.p95 == pytest.approx(0.002 * len(text), abs=4e-3)


def test_where_values_differ(rt: Runtime) -> None:
    values = [n * "x" for n in (11, 21, 31, 41, 101)]
    plan = rt.plan(cheap, like=values) if ran(rt, cheap, values) else None
    assert plan is not None
    found = likely(plan)
    assert found.p50 == pytest.approx(0.031, rel=0.2)
    assert found.p95 > 0.101  # type: ignore[operator]
    assert 0.041 < found.mean < 0.06  # type: ignore[operator]
    assert [call.p50 for call in plan.calls] == [pytest.approx(0.031)]
    assert (plan.cheapest.p50, plan.dearest.p50) == (pytest.approx(0.011), pytest.approx(0.101))
    assert likely(rt.plan(cheap, like=[*values, *20 * ["x" * 11]])).p50 == pytest.approx(0.011, rel=0.2)


def test_how_often_a_call_is_made(rt: Runtime) -> None:
    ran(rt, cascade(cheap, strong, is_good), VALUES)
    plan = rt.plan(cascade(cheap, strong, is_good), like=VALUES)
    assert {call.step: call.times for call in plan.calls} == {"cheap": 1.0, "strong": 0.25}
    assert "strong" in str(plan)
    assert "75% cheap > is_good: " in str(plan)
    assert Plan.from_json(plan.to_json()) == plan


def test_members_are_asked_together(rt: Runtime) -> None:
    pipeline = split >> each(vectors)
    ran(rt, pipeline, ["a b c d", "a"])
    four, one = (rt.plan(pipeline, like=[text]) for text in ("a b c d", "a"))
    assert (four.calls[0].count, one.calls[0].count) == (4, 1)
    assert four.calls[0].p50 == pytest.approx(2 * SECONDS["vectors"])
    assert "4 x 1 characters" in str(four)


def test_what_came_from_a_cache_costs_nothing(rt: Runtime) -> None:
    pipeline = cache(cheap) >> label
    first = ran(rt, pipeline, ["good"])
    again = ran(rt, pipeline, ["good"])
    assert [path.steps for path in again.paths] == [("cheap (cached)", "label")]
    assert again.p50 < first.p50 / 2  # type: ignore[operator]
    assert rt.plan(pipeline, like=["good"]).calls == ()


def test_tokens_that_were_written_count_and_not_those_that_might_be(rt: Runtime) -> None:
    keep(rt, "writer", [(1, 1, 0.001)], tokens_per_second=10.0)

    @task(model="writer")
    def say(text: str) -> Generate:
        return Generate.of(text)

    assert ran(rt, say, ["a b c"]).p50 == pytest.approx(0.301, abs=0.02)


def test_prices_of_remote_models(rt: Runtime) -> None:
    @task(model="far")
    def remote(text: str) -> Classify[str]:
        return Classify(text=text, labels=["good", "bad"])

    pipeline = cascade(cheap, remote, is_good) >> label
    assert ran(rt, pipeline, VALUES).cost == pytest.approx(0.5, abs=1e-3)
    with pytest.raises(PrivacyError):
        rt.plan(private(remote), like=["good"])


def test_planning_runs_nothing(rt: Runtime, probes: Any) -> None:
    ran(rt, desk, VALUES)
    for model in SECONDS:
        rt.unload(model)
    before = {model: (probe.loads, len(probe.batches)) for model, probe in probes.items()}
    likely(rt.plan(desk, like=VALUES))
    assert {model: (probe.loads, len(probe.batches)) for model, probe in probes.items()} == before
    assert before["small"][0] == 1


def test_equal_pipelines_and_values_are_known_again(rt: Runtime) -> None:
    @step
    def text_of(words: list[str]) -> str:
        return " ".join(words)

    ran(rt, text_of >> cheap, [["a", "b"]])
    assert likely(rt.plan(text_of >> cheap, like=[["a", "b"]])).values == 1


def test_the_value_counts_as_it_was_given(rt: Runtime) -> None:
    @step
    def emptied(words: list[str]) -> str:
        return words.pop()

    assert rt.run(emptied >> cheap >> label, ["good"]) == "good"
    assert likely(rt.plan(emptied >> cheap >> label, like=[["good"]])).values == 1


def test_a_failure_does_not_hide_what_went_well(rt: Runtime, probes: Any) -> None:
    assert [path.steps for path in ran(rt, cheap >> label, ["good"]).paths] == [("cheap", "label")]
    probes["small"].on_infer = lambda *_: (_ for _ in ()).throw(InferenceError("broken"))
    with pytest.raises(InferenceError):
        rt.run(cheap >> label, "good")
    assert [path.steps for path in likely(rt.plan(cheap >> label, like=["good"])).paths] == [("cheap", "label")]
    ran(rt, cheap >> label, ["bad"])
    plan = rt.plan(cheap >> label, like=["bad"])
    assert [path.steps for path in likely(plan).paths] == [("cheap", "failed")]
    assert any(note.startswith("cheap failed") for note in plan.notes)


def test_what_is_not_known_is_said(rt: Runtime) -> None:
    @task(model="writer")
    def say(text: str) -> Generate:
        return Generate.of(text)

    ran(rt, say, ["a"])
    assert any("reckoned from its card: metier calibrate writer" in note for note in rt.plan(say, like=["a"]).notes)
    assert not any("calibrate" in note for note in (ran(rt, cheap, ["a"]), rt.plan(cheap, like=["a"]))[1].notes)


@pytest.mark.parametrize(
    "like",
    [["new"], ["good", "new"], [], "good", Classify(text="good"), 5, [threading.Lock()]],
    ids=["new", "one new", "none", "text", "request", "number", "lock"],
)
def test_values_that_have_not_run(rt: Runtime, like: Any) -> None:
    ran(rt, cheap, ["good", "g", "o", "d"])
    with pytest.raises(InputError) as caught:
        rt.plan(cheap, like=like)
    assert caught.value.blame == "like=... of plan"
    if isinstance(like, list):
        assert "runtime.map(pipeline, values" in (caught.value.hint or "")


def test_a_sample_is_for_pipelines(rt: Runtime) -> None:
    with pytest.raises(InputError, match="for a pipeline"):
        rt.plan(Classify(text="x"), like=["x"])  # type: ignore[call-overload]


def test_of_another_pipeline_nothing_is_known(rt: Runtime) -> None:
    ran(rt, cheap, ["good"])
    with pytest.raises(InputError, match="once they have run"):
        rt.plan(strong, like=["good"])


def test_the_oldest_are_forgotten(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "ENTRIES", 8)
    monkeypatch.setattr(traces, "PIPELINES", 2)
    ran(rt, cheap, [f"text {n}" for n in range(4)])  # two entries each: making the request, and asking
    ran(rt, cheap, ["text 4"])
    with pytest.raises(InputError):
        rt.plan(cheap, like=["text 0"])
    assert likely(rt.plan(cheap, like=[f"text {n}" for n in range(1, 5)])).values == 4
    ran(rt, strong, ["a"])
    ran(rt, vectors, ["a"])
    with pytest.raises(InputError):
        rt.plan(cheap, like=["text 4"])
    assert likely(rt.plan(strong, like=["a"])).values == 1


KNOWN = {"local": (1.0, 1.5), "slow": (2.0, 4.0), "far": (3.0, 3.4), "dark": (None, None)}


def asked(model: str | None, step: str = "ask", **fields: Any) -> Asked:
    return Asked(step, "classify", model, Size(10), **fields)


def expected(*courses: Sequence[Entry]) -> Likely:
    """What is likely by traces of these entries, where the models take what `KNOWN` says."""

    def call_of(asked: Asked) -> PlannedCall:
        p50, p95 = KNOWN[str(asked.model)]
        fields: dict[str, Any] = {"step": asked.step, "task": asked.task, "figures": "measured", "memory": 5}
        return PlannedCall(model=asked.model, p50=p50, p95=p95, remote=asked.model == "far", **fields)

    pipeline = step(str, takes=str, gives=str)
    return likely(planned_like(pipeline, [Trace(list(course)) for course in courses], call_of))


SPANS: list[tuple[list[Entry], float, float]] = [
    ([Worked("f", 2.0)], 2.0, 2.0),
    ([asked("local")], 1.0, 1.5),
    ([asked("local"), Worked("f", 0.5), asked("slow")], 3.5, 3.5 + math.hypot(0.5, 2.0)),
    ([Beside(((asked("local"),), (asked("slow"),)))], 3.0, 3.0 + math.hypot(0.5, 2.0)),
    ([Beside(((asked("local"),), (asked("far"),)))], 3.0, 3.0 + math.hypot(0.5, 0.4)),
    ([Beside(((asked("far"), asked("far")), (asked("far"),), (asked("slow"),)))], 6.0, 6.0 + math.hypot(*[0.4] * 3, 2)),
    (
        [Beside(((Beside(((asked("local"),), (asked("local"),))),), (asked("far"),)))],
        3.0,
        3.0 + math.hypot(0.5, 0.5, 0.4),
    ),
    ([asked("local"), asked("slow", cached=True), asked(None)], 1.0, 1.5),
    ([], 0.0, 0.0),
]


@pytest.mark.parametrize(("entries", "p50", "p95"), SPANS)
def test_the_seconds_of_one_value(entries: list[Entry], p50: float, p95: float) -> None:
    found = expected(entries)
    assert found.p50 == pytest.approx(p50, rel=1e-9)
    assert found.p95 == pytest.approx(p95, rel=0.01)


def test_the_percentiles_are_those_of_the_mixture() -> None:
    found = expected([asked("local")], [asked("slow")], [asked("slow"), asked("slow")], [Worked("f", 0.3)])
    medians = np.array([1.0, 2.0, 4.0, 0.3])
    tops = np.array([1.5, 4.0, 4.0 + math.hypot(2, 2), 0.3])
    draws = np.random.default_rng(0).normal(size=(200_000, 1)) * np.log(tops / medians) / 1.6448536 + np.log(medians)
    drawn = np.exp(draws)
    assert found.p50 == pytest.approx(np.quantile(drawn, 0.5), rel=0.02)
    assert found.p95 == pytest.approx(np.quantile(drawn, 0.95), rel=0.02)
    assert found.mean == pytest.approx(drawn.mean(), rel=0.02)
    assert found.memory == 10


def test_seconds_that_are_not_known() -> None:
    found = expected([asked("local")], [asked("local"), asked("dark", "ask it")])
    assert (found.p50, found.p95, found.mean, found.cost) == (None, None, None, None)
    assert {path.steps: path.p50 for path in found.paths} == {("ask",): pytest.approx(1.0), ("ask", "ask it"): None}


def test_the_parts_of_a_composed_model_are_put_down_each() -> None:
    def origin(model: str, *parts: Provenance, **fields: Any) -> Provenance:
        return Provenance(model=model, plugin="p", plugin_version="1", device="cpu", seconds=1.0, parts=parts, **fields)

    def answer(provenance: Provenance) -> Classification:
        return Classification(label="a", scores={"a": 1.0}, provenance=provenance)

    one, other = Trace(), Trace()
    composed = origin("both", origin("local"), origin("slow"))
    requests = [Classify(text=text) for text in ("four", "sixsix", "x", "y")]
    answers = [answer(composed), answer(origin("local", cached=True)), InferenceError("no"), answer(origin("local"))]
    note_answers("ask", [one, other, other, one], requests, answers)
    assert one.entries == [Asked("ask", "classify", "local", Size(2), 2), Asked("ask", "classify", "slow", Size(4))]
    assert other.entries == [
        Asked("ask", "classify", "local", Size(6), cached=True),
        Asked("ask", "classify", None, Size(1)),
    ]


@pytest.mark.parametrize(("known", "tokens"), [(True, 7), (False, 50)])
def test_the_tokens_written_where_they_are_known(known: bool, tokens: int) -> None:
    trace = Trace()
    where = Provenance(model="local", plugin="p", plugin_version="1", device="cpu", seconds=1.0)
    counts: dict[str, Any] = {"input_tokens": 3, "output_tokens": 7, "tokens_known": known, "provenance": where}
    asked = Generate.of("four", sampling=Sampling(max_tokens=50))
    note_answers("say", [trace], [asked], [Generation(text="x", finish_reason="stop", **counts)])
    assert trace.entries == [Asked("say", "generate", "local", Size(4, output_tokens=tokens))]
