"""The end of a runtime: what is refused, what is waited for, what is closed."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from metier import Runtime, task
from metier_contracts import (
    Classify,
    ClassifyFit,
    ExampleSet,
    Generate,
    RuntimeClosedError,
)

REQUEST = Classify(text="good good bad", labels=["good", "bad"])
EXAMPLES = ExampleSet.from_pairs([("good", "praise"), ("bad", "blame")])


@task
def sort_text(text: str) -> Classify:
    return Classify(text=text, labels=["good", "bad"])


def until_closing(rt: Runtime) -> None:
    """Call until the runtime refuses: then `close`, in its thread, has begun."""
    with rt._residency._changed:
        closed = rt._residency._changed.wait_for(lambda: rt._residency._closed, timeout=20)
    assert closed


def test_a_closed_runtime_refuses(rt: Runtime, probes: Any) -> None:
    rt.run(REQUEST)
    rt.close()
    rt.close()
    assert probes["acme/k"].closed == 1
    assert rt.accounted_bytes == 0
    calls: list[Callable[[], Any]] = [
        lambda: rt.run(REQUEST),
        lambda: next(rt.map([REQUEST])),
        lambda: next(rt.stream(Generate(messages="x"))),
        lambda: rt.load("acme/k"),
        lambda: rt.fit(ClassifyFit(id="mine/a", examples=EXAMPLES)),
        lambda: rt.run(sort_text, "x"),
    ]
    for call in calls:
        with pytest.raises(RuntimeClosedError, match="the runtime is closed") as caught:
            call()
        assert caught.value.blame == "the call to close()"
    assert probes["acme/k"].loads == 1


def test_close_waits_for_those_at_work(rt: Runtime, probes: Any, rules: Any, start: Any) -> None:
    probes["acme/k"].on_infer = gate = rules.Gate()
    working = start(lambda: rt.run(REQUEST))
    gate.await_arrival()
    closing = start(rt.close)
    until_closing(rt)
    assert closing.running
    assert probes["acme/k"].closed == 0
    gate.open()
    assert working.outcome().label == "good"
    closing.outcome()
    assert probes["acme/k"].closed == 1


def test_a_stream_of_ones_own_that_is_still_open_ends(rt: Runtime, probes: Any, start: Any) -> None:
    def open_and_close() -> list[Any]:
        pieces = rt.stream(Generate(messages="one two"))
        next(pieces)
        rt.close()
        return list(pieces)

    assert start(open_and_close).outcome() == []
    assert probes["acme/g"].streams_closed == 1
    assert probes["acme/g"].closed == 1


def test_a_stream_of_anothers_is_waited_for(rt: Runtime, probes: Any, start: Any) -> None:
    pieces = rt.stream(Generate(messages="one two"))
    next(pieces)
    closing = start(rt.close)
    until_closing(rt)
    assert closing.running
    assert [piece.text for piece in pieces] == ["two"]
    closing.outcome()
    assert probes["acme/g"].closed == 1


def test_a_stream_that_was_dropped_is_not_kept_alive(rt: Runtime, probes: Any) -> None:
    next(rt.stream(Generate(messages="one two")))
    gc.collect()
    assert probes["acme/g"].streams_closed == 1
    assert len(rt._streams) == 0


def test_a_model_that_raises_in_close(rt: Runtime, probes: Any) -> None:
    def fail() -> None:
        raise RuntimeError("no luck")

    for model in ("acme/k", "acme/e"):
        probes[model].on_close = fail
        rt.load(model)
    rt.close()
    assert [probes[model].closed for model in ("acme/k", "acme/e")] == [1, 1]


def test_the_context_manager_closes(plugins: Any, probes: Any) -> None:
    plugins.write("acme", plugins.card("acme/k"))
    with Runtime() as rt:
        rt.run(REQUEST)
        assert probes["acme/k"].closed == 0
    assert probes["acme/k"].closed == 1


def test_an_unloaded_model_is_gone(rt: Runtime) -> None:
    """Nothing of ours holds it, so that its memory is free at once and not at the next collection."""
    gc.disable()
    try:
        for use in (lambda: rt.run(REQUEST), lambda: next(rt.stream(Generate(messages="one two")))):
            answer = use()
            model = answer.provenance.model
            held = weakref.ref(rt._residency._residents[model].model)
            rt.unload(model)
            assert held() is None
    finally:
        gc.enable()
