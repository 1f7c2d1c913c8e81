from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from metier import Requirements, Runtime, step, task
from metier_contracts import (
    AmbiguousModelError,
    CallContext,
    Classification,
    Classify,
    DeadlineExceeded,
    Generate,
    InferenceError,
    InputError,
    Message,
    NoCapableModelError,
    OfflineError,
    RuntimeClosedError,
    UnknownModelError,
    WeightsError,
)

from tests.support.cancelling import cancel_at_work

REQUEST = Classify(text="good good bad", labels=["good", "bad"])


def of(text: str) -> Classify:
    return Classify(text=text, labels=["good", "bad"])


@task
def sort_text(text: str) -> Classify:
    return of(text)


@step
def label(classification: Classification) -> str:
    return classification.label


def test_a_request(rt: Runtime) -> None:
    assert rt.run(REQUEST).label == "good"


def test_a_pipeline_on_a_value(rt: Runtime) -> None:
    assert rt.run(sort_text >> label, "bad bad") == "bad"


def test_an_error_of_a_steps_own_comes_as_it_is(rt: Runtime) -> None:
    @step
    def fail(text: str) -> str:
        raise LookupError(text)

    with pytest.raises(LookupError, match="x"):
        rt.run(fail, "x")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda rt: rt.run("text"), "not a request"),
        (lambda rt: rt.run(REQUEST, "value"), "takes no value beside it"),
        (lambda rt: rt.run(sort_text), "needs the value it takes"),
        (lambda rt: rt.run(sort_text, "x", model="acme/k"), "model=... is for a request"),
        (lambda rt: rt.run(sort_text, "x", require=Requirements()), "require=... is for a request"),
        (lambda rt: rt.map(sort_text, ["x"], require=Requirements()), "require=... is for a request"),
        (lambda rt: rt.run(sort_text, 5), "does not take this value"),
        (lambda rt: rt.run(REQUEST, model=5), "named by its id"),
        (lambda rt: rt.map(REQUEST), "map takes many"),
        (lambda rt: rt.map([REQUEST], batch_size=0), "batch_size"),
        (lambda rt: rt.map(sort_text), "needs the value"),
        (lambda rt: rt.load(["acme/k"]), "named by its id"),
        (lambda rt: rt.fit(REQUEST), "not a fit request"),
    ],
)
def test_a_call_that_makes_no_sense(call: Callable[[Any], Any], message: str, rt: Runtime) -> None:
    with pytest.raises(InputError, match=message) as caught:
        call(rt)
    assert caught.value.expected
    assert caught.value.got


def test_a_deadline_that_has_passed(rt: Runtime, probes: Any) -> None:
    with pytest.raises(DeadlineExceeded):
        rt.run(REQUEST, deadline=0)
    assert probes["acme/k"].loads == 0


def test_the_deadline_reaches_the_model(rt: Runtime, probes: Any, clock: Any) -> None:
    rt.run(REQUEST, deadline=5)
    assert probes["acme/k"].contexts[-1].remaining() == 5

    def work(requests: Any, context: CallContext) -> None:
        clock.advance(5)
        context.check()

    probes["acme/k"].on_infer = work
    with pytest.raises(DeadlineExceeded):
        rt.run(REQUEST, deadline=5)


def test_a_deadline_that_passes_behind_a_blocked_model(
    rt: Runtime, probes: Any, rules: Any, start: Any, clock: Any
) -> None:
    probes["acme/k"].on_infer = gate = rules.Gate()
    blocked = start(lambda: rt.run(REQUEST))
    gate.await_arrival()
    late = start(lambda: rt.run(REQUEST, deadline=1))
    clock.advance(1)
    assert isinstance(late.outcome(), DeadlineExceeded)
    assert blocked.running
    gate.open()
    assert blocked.outcome().label == "good"
    assert probes["acme/k"].sizes == [1]


def test_strict(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/a"), plugins.card("acme/b"))
    with Runtime() as rt, pytest.raises(AmbiguousModelError):
        rt.run(REQUEST, strict=True)
    with Runtime(strict=True) as rt:
        with pytest.raises(AmbiguousModelError):
            rt.run(REQUEST)
        assert rt.run(REQUEST, strict=False).label == "good"


def test_arun_returns_what_run_returns(rt: Runtime) -> None:
    async def main() -> None:
        assert (await rt.arun(REQUEST)).label == "good"
        assert await rt.arun(sort_text >> label, "bad") == "bad"
        with pytest.raises(UnknownModelError):
            await rt.arun(REQUEST, model="acme/z")

    asyncio.run(main())


def test_many_at_once(rt: Runtime, probes: Any) -> None:
    async def main() -> None:
        answers = await asyncio.gather(*(rt.arun(of(word)) for word in ["good", "bad"] * 20))
        assert [answer.label for answer in answers] == ["good", "bad"] * 20

    asyncio.run(main())
    assert probes["acme/k"].loads == 1
    assert threading.get_ident() not in probes["acme/k"].threads


def test_the_event_loop_stays_free(rt: Runtime, probes: Any, rules: Any) -> None:
    probes["acme/k"].on_infer = gate = rules.Gate()

    async def main() -> None:
        working = asyncio.create_task(rt.arun(REQUEST))
        await asyncio.sleep(0)
        gate.await_arrival()
        assert not working.done()
        gate.open()
        assert (await working).label == "good"

    asyncio.run(main())


def test_cancelling_the_task_reaches_the_model(rt: Runtime, probes: Any, rules: Any) -> None:
    seen = cancel_at_work(probes["acme/k"], rules.Gate(), lambda: rt.arun(REQUEST))
    rt.close()
    assert len(seen) == 1


def test_a_step_that_raises_stop_iteration_does_not_hang(rt: Runtime) -> None:
    @step
    def first(words: list[str]) -> str:
        return next(iter(words))

    async def main() -> None:
        with pytest.raises(RuntimeError, match="StopIteration") as caught:
            await asyncio.wait_for(rt.arun(first, []), 20)
        assert isinstance(caught.value.__cause__, StopIteration)

    asyncio.run(main())


@pytest.mark.parametrize("used", [False, True])
def test_a_closed_runtime_refuses_to_arun(used: bool, rt: Runtime) -> None:
    async def main() -> None:
        if used:
            await rt.arun(REQUEST)
        rt.close()
        with pytest.raises(RuntimeClosedError):
            await rt.arun(REQUEST)

    asyncio.run(main())
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("metier")]


def test_in_order_and_in_batches(rt: Runtime, probes: Any) -> None:
    words = [random.Random(n).choice(["good", "bad"]) for n in range(50)]
    assert [answer.label for answer in rt.map([of(word) for word in words], batch_size=20)] == words
    assert probes["acme/k"].sizes == [20, 20, 10]


def test_a_batch_is_no_larger_than_the_model_takes(plugins: Any, probes: Any) -> None:
    plugins.write("acme", plugins.card("acme/k", tasks={"classify": {"labels": "open", "max_batch": 4}}))
    with Runtime() as rt:
        assert len(list(rt.map([REQUEST] * 10))) == 10
    assert probes["acme/k"].sizes == [4, 4, 2]


def test_a_pipeline_sees_its_model_in_batches(rt: Runtime, probes: Any) -> None:
    words = ["good", "bad", "bad", "good", "bad"]
    assert list(rt.map(sort_text >> label, words, batch_size=4)) == words
    assert probes["acme/k"].sizes == [4, 1]


def test_a_generator_is_read_as_needed(rt: Runtime) -> None:
    read: list[int] = []

    def requests() -> Iterator[Classify]:
        for number in range(100):
            read.append(number)
            yield REQUEST

    answers = rt.map(requests(), batch_size=5)
    assert read == []
    next(answers)
    assert len(read) == 5


def test_progress(rt: Runtime) -> None:
    reports: list[Any] = []
    list(rt.map([REQUEST] * 5, batch_size=2, progress=lambda *report: reports.append(report)))
    list(rt.map(sort_text, iter(["good"]), progress=lambda *report: reports.append(report)))
    assert reports == [(2, 5), (4, 5), (5, 5), (1, None)]


@pytest.mark.parametrize("pipeline", [False, True])
def test_errors_are_raised_or_collected(pipeline: bool, rt: Runtime, probes: Any) -> None:
    def fail_on_bad(requests: Any, context: CallContext) -> None:
        if any(request.text == "bad" for request in requests):
            raise ValueError("no luck")

    probes["acme/k"].on_infer = fail_on_bad
    words = ["good", "bad", "good"]
    arguments: Any = (sort_text, words) if pipeline else ([of(word) for word in words],)
    first, second, third = rt.map(*arguments, on_error="collect")
    assert (first.label, third.label) == ("good", "good")
    assert isinstance(second, InferenceError)
    answers = rt.map(*arguments)
    assert next(answers).label == "good"
    with pytest.raises(InferenceError, match="raised while it inferred"):
        next(answers)


def test_one_deadline_for_all(rt: Runtime, probes: Any, clock: Any) -> None:
    probes["acme/k"].on_infer = lambda requests, context: clock.advance(1)
    outcomes = list(rt.map([REQUEST] * 4, batch_size=1, deadline=2, on_error="collect"))
    assert [type(outcome) for outcome in outcomes] == [Classification] * 2 + [DeadlineExceeded] * 2


def test_a_named_model(rt: Runtime) -> None:
    assert {a.provenance.model for a in rt.map([REQUEST] * 3, model="acme/fit")} == {"acme/fit"}  # type: ignore[union-attr]


def test_a_row_for_each(plugins: Any, tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    plugins.write(
        "acme",
        plugins.card("acme/a", bytes=7),
        plugins.card("acme/here", source=f"path:{tmp_path / 'weights'}"),
        plugins.card("acme/gone", source=f"path:{tmp_path / 'gone'}"),
        plugins.card("acme/odd", source="wheel:no requirement"),
        plugins.card("acme/far", source="https://example.org/v1"),
    )
    plugins.write("bare", plugins.card("bare/a"), extra="x", requires=["surely_not_here"])
    plugins.write("broken", plugins.card("broken/a"), contract="9.0")
    with Runtime() as rt:
        rt.load("acme/a")
        rows = {info.card.id: (info.state, info.fix, info.pulled, info.loaded_bytes) for info in rt.models()}
    assert rows == {
        "acme/a": ("ready", "", True, 7),
        "acme/far": ("ready", "", True, None),
        "acme/gone": ("ready", "", False, None),
        "acme/here": ("ready", "", True, None),
        "acme/odd": ("ready", "", False, None),
        "bare/a": ("available", 'pip install "metier-bare[x]"', True, None),
    }


def test_no_plugin_is_imported_for_it(plugins: Any) -> None:
    for number in range(5):
        plugins.write(f"p{number}", plugins.card(f"p{number}/a"), init="import time; raise", code="raise")
    with Runtime() as rt:
        assert len(rt.models()) == 5
    assert plugins.imported() == []


def test_load_and_unload(rt: Runtime, probes: Any) -> None:
    info = rt.load("acme/k")
    assert info.loaded_bytes == 100
    assert rt.load("acme/k").loaded_bytes == 100
    assert probes["acme/k"].loads == 1
    assert rt.accounted_bytes == 100
    assert rt.unload("acme/k") is True
    assert rt.unload("acme/k") is False
    assert probes["acme/k"].closed == 1
    assert rt.accounted_bytes == 0
    for verb in (rt.load, rt.unload, rt.pull):
        with pytest.raises(UnknownModelError):
            verb("acme/z")  # type: ignore[operator]


def test_pull(plugins: Any, tmp_path: Path, probes: Any) -> None:
    (tmp_path / "weights").mkdir()
    plugins.write(
        "acme",
        plugins.card("acme/none"),
        plugins.card("acme/here", source=f"path:{tmp_path / 'weights'}"),
        plugins.card("acme/gone", source=f"path:{tmp_path / 'gone'}"),
        plugins.card("acme/hub", source="hf:acme/hub", revision="0" * 40),
    )
    with Runtime(offline=True) as rt:
        assert rt.pull("acme/none") is None
        assert rt.pull("acme/here") == tmp_path / "weights"
        with pytest.raises(WeightsError, match="missing"):
            rt.pull("acme/gone")
        with pytest.raises(OfflineError):
            rt.pull("acme/hub")
        with pytest.raises(OfflineError):
            rt.run(REQUEST, model="acme/hub")
        rt.run(REQUEST, model="acme/here")
    assert probes["acme/here"].placements[0].directory == tmp_path / "weights"
    assert probes["acme/hub"].loads == 0


class TestRequirements:
    """The verbs take `require=`."""

    @pytest.fixture(autouse=True)
    def two(self, plugins: Any, rt: Runtime) -> None:
        rt._catalog.add("runtime", plugins.model_card("acme/mine", bytes=100, parameters=10**5, licence="X"))

    def test_run_arun_map_and_stream_choose_by_them(self, rt: Runtime) -> None:
        mine = Requirements(licence=("X",))
        assert model_of(rt.run(REQUEST, require=mine)) == "acme/mine"
        assert model_of(asyncio.run(rt.arun(REQUEST, require=mine))) == "acme/mine"
        assert {model_of(answer) for answer in rt.map([REQUEST] * 2, require=mine)} == {"acme/mine"}
        with pytest.raises(NoCapableModelError):
            rt.stream(SAY, require=mine)
        assert [piece.text for piece in rt.stream(SAY, require=Requirements(licence=("MIT",)))] == ["one", "two"]

    def test_a_task_chooses_by_them(self, rt: Runtime) -> None:
        @task(require=Requirements(licence=("X",)))
        def sort(text: str) -> Classify:
            return Classify(text=text, labels=["a", "b"])

        assert model_of(rt.run(sort, "a")) == "acme/mine"
        assert {model_of(answer) for answer in rt.map(sort, ["a", "b"])} == {"acme/mine"}

    def test_the_decision_is_the_choice(self, rt: Runtime) -> None:
        required = Requirements(licence=("X",))
        decision = rt.decide(REQUEST, required)
        assert decision.chosen is not None
        assert decision.chosen.model == model_of(rt.run(REQUEST, require=required)) == "acme/mine"
        assert rt.decide("classify").chosen == rt.decide(Classify).chosen

    def test_a_model_fitted_since_counts(self, rt: Runtime, plugins: Any) -> None:
        required = Requirements(licence=("Y",))
        with pytest.raises(NoCapableModelError):
            rt.run(REQUEST, require=required)
        rt._catalog.add("runtime", plugins.model_card("acme/new", bytes=1, licence="Y"))
        assert model_of(rt.run(REQUEST, require=required)) == "acme/new"


SAY = Generate(messages=[Message(role="user", content="one two")])


def model_of(answer: Any) -> str:
    return str(answer.provenance.model)
