"""Many threads on one runtime, and many models on one budget."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from metier import Runtime
from metier_contracts import (
    CallContext,
    Classification,
    Classify,
    ContractViolation,
    DeadlineExceeded,
    Embed,
    InferenceError,
    MemoryBudgetError,
)

REQUEST = Classify(text="good good bad", labels=["good", "bad"])


def of(text: str) -> Classify:
    return Classify(text=text, labels=["good", "bad"])


def outcome_of(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:
        return error


def test_an_idle_model_infers_in_the_callers_thread(rt: Runtime, probes: Any) -> None:
    rt.run(REQUEST)
    assert probes["acme/k"].threads == [threading.get_ident()]


def test_thirty_two_first_calls_load_once(rt: Runtime, probes: Any, together: Any, switch_often: None) -> None:
    texts = [("good " if number % 2 else "bad ") * 3 + str(number) for number in range(32)]
    answers = together([lambda text=text: rt.run(of(text)) for text in texts])
    assert [answer.label for answer in answers] == [text.split()[0] for text in texts]
    assert probes["acme/k"].loads == 1
    assert sum(probes["acme/k"].sizes) == 32
    assert probes["acme/k"].most_running == 1


def test_a_failing_load_reaches_every_caller_and_is_tried_again(rt: Runtime, probes: Any, together: Any) -> None:
    def fail() -> None:
        raise ValueError("no luck")

    probes["acme/k"].on_load = fail
    errors = together([lambda: rt.run(REQUEST)] * 32)
    assert {(type(error).__name__, error.got) for error in errors} == {("ModelLoadError", "ValueError: no luck")}
    assert len({id(error) for error in errors}) == 32
    probes["acme/k"].on_load = None
    assert rt.run(REQUEST).label == "good"


def test_callers_that_come_meanwhile_are_gathered(rt: Runtime, probes: Any, rules: Any, start: Any, line: Any) -> None:
    probe = probes["acme/k"]
    rt.load("acme/k")
    rt._residency._residents["acme/k"].lane._waiting = line
    probe.on_infer = gate = rules.Gate()
    callers = [start(lambda: rt.run(of("good first")))]
    gate.await_arrival()
    callers += [start(lambda word=word: rt.run(of(word))) for word in ("good", "bad", "good", "bad")]
    line.await_joining(len(callers) - 1)
    gate.open()
    answers = [caller.outcome() for caller in callers]
    assert sorted(answer.label for answer in answers) == ["bad", "bad", "good", "good", "good"]
    assert [answer.label for answer in answers[1:]] == ["good", "bad", "good", "bad"]
    assert probe.sizes == [1, 4]
    assert len({answer.provenance.seconds for answer in answers[1:]}) == 1


@pytest.mark.parametrize("thread_safe", [False, True])
def test_only_a_model_that_says_so_infers_twice_at_once(
    thread_safe: bool, plugins: Any, probes: Any, rules: Any, together: Any, switch_often: None
) -> None:
    plugins.write("acme", plugins.card("acme/k", thread_safe=thread_safe))
    probe = probes["acme/k"]
    if thread_safe:
        meeting = threading.Barrier(4, timeout=20)
        probe.on_infer = lambda requests, context: meeting.wait()
    with Runtime() as rt:
        together([lambda: [rt.run(REQUEST) for _ in range(10)]] * 4)
    assert probe.most_running == (4 if thread_safe else 1)
    assert sum(probe.sizes) == 40


def test_each_caller_gets_what_is_its_own(rt: Runtime, probes: Any, together: Any, switch_often: None) -> None:
    """Good items, items that raise and items that break the contract, from many threads at once."""

    def answer(request: Classify) -> Any:
        kind, _, name = str(request.text).partition(" ")
        if kind == "raise":
            raise ValueError(name)
        return None if kind == "wrong" else Classification(label=name, scores={name: 1.0})

    probes["acme/k"].answer = answer
    chance = random.Random(0)
    kinds = [[chance.choice(["fine", "fine", "fine", "raise", "wrong"]) for _ in range(10)] for _ in range(12)]

    def caller(number: int) -> list[Any]:
        requests = [
            Classify(text=f"{kind} {number}-{i}", labels=[f"{number}-{i}"]) for i, kind in enumerate(kinds[number])
        ]
        singles = [outcome_of(lambda request=request: rt.run(request)) for request in requests[:5]]
        return [*singles, *rt.map(requests[5:], on_error="collect")]

    for number, outcomes in enumerate(together([lambda number=n: caller(number) for n in range(12)])):
        for turn, (kind, outcome) in enumerate(zip(kinds[number], outcomes, strict=True)):
            if kind == "fine":
                assert outcome.label == f"{number}-{turn}"
            else:
                assert type(outcome) is (InferenceError if kind == "raise" else ContractViolation)
                assert kind == "wrong" or outcome.got == f"ValueError: {number}-{turn}"
    assert probes["acme/k"].most_running == 1


def test_an_interrupt_in_one_thread_is_not_handed_to_the_others(rt: Runtime, probes: Any, together: Any) -> None:
    def interrupt(requests: Any, context: CallContext) -> None:
        if any("stop" in request.text for request in requests):
            raise KeyboardInterrupt

    probes["acme/k"].on_infer = interrupt
    outcomes = together([lambda n=n: rt.run(of("stop" if n == 0 else "good")) for n in range(16)])
    assert isinstance(outcomes[0], KeyboardInterrupt)
    # Whoever was in one call with the poisoned request may have led it, and so was the one interrupted.
    others = [outcome for outcome in outcomes[1:] if not isinstance(outcome, KeyboardInterrupt)]
    assert {outcome.label for outcome in others} == {"good"}
    assert rt.run(of("good")).label == "good"


def test_an_interrupted_load_is_taken_over(rt: Runtime, probes: Any, rules: Any, start: Any) -> None:
    gate = rules.Gate()

    def interrupt() -> None:
        probes["acme/k"].on_load = None
        gate()
        raise KeyboardInterrupt

    probes["acme/k"].on_load = interrupt
    first = start(lambda: rt.run(REQUEST))
    gate.await_arrival()
    others = [start(lambda: rt.run(REQUEST)) for _ in range(4)]
    gate.open()
    assert isinstance(first.outcome(), KeyboardInterrupt)
    assert [other.outcome().label for other in others] == ["good"] * 4


def test_embedding_from_many_threads(rt: Runtime, together: Any) -> None:
    texts = ["abc", "xyz", "hello"]
    alone = [rt.run(Embed(texts=[text])).vectors for text in texts]
    outcomes = together([lambda text=text: rt.run(Embed(texts=[text])).vectors for text in texts * 4])
    for outcome, expected in zip(outcomes, alone * 4, strict=True):
        assert (outcome == expected).all()


def test_the_budget_is_what_was_given(plugins: Any) -> None:
    assert Runtime(memory="2kB").budget_bytes == 2000
    assert Runtime(config={"memory": 5}).budget_bytes == 5
    assert Runtime().budget_bytes > 10**6


def test_the_least_recently_used_goes(plugins: Any, probes: Any, clock: Any) -> None:
    plugins.write("acme", *(plugins.card(f"acme/{name}", bytes=40) for name in "abc"))
    with Runtime(memory=100) as rt:
        for name in "abac":
            clock.advance(0.1)
            rt.run(REQUEST, model=f"acme/{name}")
        assert rt.accounted_bytes == 80
        assert [info.loaded_bytes for info in rt.models()] == [40, None, 40]
    assert [probes[f"acme/{name}"].closed for name in "abc"] == [1, 1, 1]


def test_a_model_at_work_stays_and_another_waits_for_it(plugins: Any, probes: Any, rules: Any, start: Any) -> None:
    plugins.write("acme", plugins.card("acme/a", bytes=60), plugins.card("acme/b", bytes=60))
    probes["acme/a"].on_infer = gate = rules.Gate()
    with Runtime(memory=100) as rt:
        first = start(lambda: rt.run(REQUEST, model="acme/a"))
        gate.await_arrival()
        second = start(lambda: rt.run(REQUEST, model="acme/b"))
        with pytest.raises(DeadlineExceeded):
            rt.run(REQUEST, model="acme/b", deadline=0.01)
        assert probes["acme/a"].closed == 0
        assert probes["acme/b"].loads == 0
        gate.open()
        assert first.outcome().label == "good"
        assert second.outcome().label == "good"
        assert probes["acme/a"].closed == 1


def test_one_too_large_is_refused_with_figures(plugins: Any, probes: Any) -> None:
    plugins.write("acme", plugins.card("acme/a"))
    probes["acme/a"].bytes = 2_000_000
    with Runtime(memory="1MB") as rt, pytest.raises(MemoryBudgetError) as caught:
        rt.run(REQUEST)
    assert caught.value.expected == "at most 1.0 MB (1000000 bytes)"
    assert caught.value.got == "2.0 MB (2000000 bytes)"
    assert probes["acme/a"].closed == 1


@pytest.mark.parametrize("seed", range(2))
def test_never_more_than_the_budget(
    seed: int, plugins: Any, probes: Any, together: Any, switch_often: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metier.residency._MEASURE_EVERY_SECONDS", -1.0)
    monkeypatch.setattr("metier.residency._WAIT_SECONDS", 0.002)
    chance = random.Random(seed)
    names = [f"acme/{name}" for name in "abcdef"]
    plugins.write("acme", *(plugins.card(name, bytes=chance.randint(0, 50)) for name in names))
    samples: list[int] = []
    with Runtime(memory=100) as rt:

        def measure() -> int:
            samples.append(rt.accounted_bytes)
            return chance.randint(10, 60)

        for name in names:
            probes[name].bytes = measure
            probes[name].on_infer = lambda requests, context: samples.append(rt.accounted_bytes)

        def caller(seed: int) -> None:
            own = random.Random(seed)
            for _ in range(15):
                rt.run(REQUEST, model=own.choice(names))

        assert together([lambda n=n: caller(100 * seed + n) for n in range(8)]) == [None] * 8
    assert max(samples) <= 100
    assert all(probe.loads == probe.closed for probe in probes.values())
