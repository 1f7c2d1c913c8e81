"""Measuring models, by a stopwatch that only they move."""

from __future__ import annotations

from typing import Any

import pytest
from metier import Runtime
from metier.decision.calibrate import choose
from metier.decision.measure import Effort
from metier.decision.profile import Profile
from metier_contracts import (
    Classification,
    Generation,
    InferenceError,
    InputError,
    ModelLoadError,
    Size,
    UnknownModelError,
    UnknownTaskError,
)

LOAD_SECONDS = 3.0


@pytest.fixture
def steady(probes: Any, stopwatch: Any) -> Any:
    """Models that take 0.1 s a call, 1 ms a character and 10 ms a token to write, and 3 s to load."""

    def work(requests: Any, context: Any) -> None:
        sizes = [request.workload() for request in requests]
        stopwatch.advance(0.1 + sum(0.001 * size.amount + 0.01 * size.output_tokens for size in sizes))

    for model in ("acme/k", "acme/e", "acme/g"):
        probes[model].on_infer = work
        probes[model].on_load = lambda: stopwatch.advance(LOAD_SECONDS)
    # It writes as many tokens as it may.
    probes["acme/g"].answer = lambda request: Generation(
        text="a", finish_reason="length", input_tokens=1, output_tokens=request.sampling.max_tokens
    )
    return probes


def measured(calibrator: Any, rt: Runtime, model: str, **fields: Any) -> Profile:
    (outcome,) = calibrator(**fields).run(rt.model(model).card)
    assert outcome.status == "measured"
    assert outcome.profile is not None
    return outcome.profile  # type: ignore[no-any-return]


def test_what_a_model_takes_is_found(calibrator: Any, rt: Runtime, steady: Any) -> None:
    profile = measured(calibrator, rt, "acme/e")
    assert profile.load_seconds == LOAD_SECONDS
    assert (profile.model, profile.task, profile.source, profile.device) == ("acme/e", "embed", "measured", "cpu")
    assert [(each.batch, each.size) for each in profile.measurements[:3]] == [(1, 51), (1, 257), (1, 1252)]
    # Prose comes in whole words: sizes differ by a few characters from call to call.
    for amount in (100, 800, 3000):
        assert profile.latency(Size(amount), quantile=0.5) == pytest.approx(0.1 + 0.001 * amount, rel=0.05)
    assert profile.latency(batch=4, quantile=0.5) == pytest.approx(0.1 + 4 * 0.257, rel=0.02)
    assert profile.throughput() == pytest.approx(4 / (0.1 + 4 * 0.257), rel=0.02)
    assert profile.tokens_per_second is None
    assert profile.joules is None
    assert profile.memory is not None


def test_the_pace_of_writing_is_found_apart_from_reading(calibrator: Any, rt: Runtime, steady: Any) -> None:
    profile = measured(calibrator, rt, "acme/g")
    assert profile.tokens_per_second == pytest.approx(100, rel=0.05)
    assert profile.typical == Size(403, output_tokens=24)
    expected = 0.1 + 0.4 + 0.01 * 200
    assert profile.latency(Size(400, output_tokens=200), quantile=0.5) == pytest.approx(expected, rel=0.05)


def test_what_is_written_without_being_asked_for_is_part_of_the_answer(
    calibrator: Any, rt: Runtime, steady: Any
) -> None:
    steady["acme/k"].answer = lambda request: Classification(
        label=request.labels[0], scores={label: 1 / len(request.labels) for label in request.labels}, output_tokens=40
    )
    profile = measured(calibrator, rt, "acme/k")
    assert profile.typical is not None
    assert (profile.typical.output_tokens, profile.tokens_per_second) == (40, None)
    assert profile.latency(Size(800), quantile=0.5) == pytest.approx(0.1 + 0.8, rel=0.05)


def test_no_request_comes_twice(calibrator: Any, rt: Runtime, steady: Any) -> None:
    measured(calibrator, rt, "acme/e")
    texts = [request.texts[0] for batch in steady["acme/e"].batches for request in batch]
    assert len(set(texts)) == len(texts)


def test_calls_are_as_many_as_said_and_a_first_one_is_not_counted(calibrator: Any, rt: Runtime, steady: Any) -> None:
    measured(calibrator, rt, "acme/e", effort=Effort(seconds=1e6, calls=7, batches=(4, 8)))
    assert steady["acme/e"].sizes == [1] * 8 * 3 + [4] * 8 + [8] * 8


def test_batches_stay_within_the_card(plugins: Any, calibrator: Any, steady: Any, stopwatch: Any) -> None:
    tasks = {"embed": {"normalized": True, "max_batch": 4}}
    with Runtime(cards=[plugins.model_card("acme/few", "histogram", tasks=tasks)]) as runtime:
        effort = Effort(seconds=1e6, calls=3, batches=(4, 8))
        list(calibrator(runtime=runtime, effort=effort).run(runtime.model("acme/few").card))
    assert max(steady["acme/few"].sizes) == 4


def test_a_slow_model_stays_within_its_time(calibrator: Any, rt: Runtime, probes: Any, stopwatch: Any) -> None:
    probes["acme/e"].on_infer = lambda requests, context: stopwatch.advance(40.0)
    profile = measured(calibrator, rt, "acme/e")
    assert len(profile.measurements) == 1
    assert profile.latency() == 40.0
    assert probes["acme/e"].sizes == [1]


def test_a_size_that_the_model_refuses_ends_the_sizes(calibrator: Any, rt: Runtime, steady: Any, rules: Any) -> None:
    card = rt.model("acme/e").card
    model = rules.HistogramEmbedder(card, None)

    def answer(request: Any) -> Any:
        return InputError("too long") if request.workload().amount > 500 else model.respond(request)

    steady["acme/e"].answer = answer
    profile = measured(calibrator, rt, "acme/e")
    assert [(each.size, each.batch) for each in profile.measurements] == [(51, 1), (257, 1), (51, 4)]


def test_what_is_measured_is_not_measured_again_unless_asked(calibrator: Any, rt: Runtime, steady: Any) -> None:
    first = measured(calibrator, rt, "acme/e")
    calls = len(steady["acme/e"].batches)
    (outcome,) = calibrator().run(rt.model("acme/e").card)
    assert (outcome.status, outcome.profile) == ("current", first)
    assert len(steady["acme/e"].batches) == calls
    assert measured(calibrator, rt, "acme/e", again=True)
    assert len(steady["acme/e"].batches) > calls


def test_other_weights_are_measured_anew(plugins: Any, calibrator: Any, rt: Runtime, steady: Any) -> None:
    measured(calibrator, rt, "acme/e")
    with Runtime(cards=[plugins.model_card("acme/e", "histogram", options={"newer": True})]) as runtime:
        (outcome,) = calibrator(runtime=runtime).run(runtime.model("acme/e").card)
    assert outcome.status == "measured"


def test_a_model_that_fails_is_an_outcome_and_nothing_is_kept(calibrator: Any, rt: Runtime, steady: Any) -> None:
    def fail(requests: Any, context: Any) -> None:
        raise InferenceError("no luck")

    steady["acme/e"].on_infer = fail
    (outcome,) = calibrator().run(rt.model("acme/e").card)
    assert (outcome.status, outcome.profile) == ("failed", None)
    assert "no luck" in outcome.reason
    steady["acme/e"].on_infer = None
    assert measured(calibrator, rt, "acme/e")


def test_a_model_that_does_not_load_is_an_outcome(calibrator: Any, rt: Runtime, probes: Any) -> None:
    def fail() -> None:
        raise ModelLoadError("no weights")

    probes["acme/k"].on_load = fail
    (outcome,) = calibrator().run(rt.model("acme/k").card)
    assert outcome.status == "failed"
    assert "no weights" in outcome.reason


def test_a_model_that_wants_inputs_of_its_own_is_left_out(calibrator: Any, rt: Runtime, probes: Any) -> None:
    probes["acme/e"].answer = lambda request: InputError("only molecules, please")
    (outcome,) = calibrator().run(rt.model("acme/e").card)
    assert outcome.status == "left out"
    assert "only molecules, please" in outcome.reason


def test_a_task_that_no_probe_fits_is_left_out(plugins: Any, calibrator: Any) -> None:
    tasks = {"embed": {"modalities": ["image"]}, "act": {"environments": ["k"]}}
    with Runtime(cards=[plugins.model_card("acme/odd", "histogram", tasks=tasks)]) as runtime:
        outcomes = list(calibrator(runtime=runtime, task="act").run(runtime.model("acme/odd").card))
    assert [(outcome.task, outcome.status) for outcome in outcomes] == [("act", "left out")]


def test_the_model_is_unloaded_afterwards_and_after_an_interrupt(calibrator: Any, rt: Runtime, probes: Any) -> None:
    def interrupt(requests: Any, context: Any) -> None:
        raise KeyboardInterrupt

    measured(calibrator, rt, "acme/k")
    assert rt.model("acme/k").loaded_bytes is None
    probes["acme/e"].on_infer = interrupt
    with pytest.raises(KeyboardInterrupt):
        list(calibrator().run(rt.model("acme/e").card))
    assert rt.model("acme/e").loaded_bytes is None


def test_energy_is_of_one_request_of_middle_size(calibrator: Any, rt: Runtime, steady: Any, stopwatch: Any) -> None:
    class Watts:
        """One watt, so that a joule is a second."""

        def start(self) -> Any:
            started = stopwatch.now
            return lambda: stopwatch.now - started

    profile = measured(calibrator, rt, "acme/e", meter=Watts())
    assert profile.joules == pytest.approx(0.1 + 0.257, rel=0.02)


def test_local_models_whose_weights_are_here_are_chosen(plugins: Any, tmp_path: Any) -> None:
    plugins.write(
        "acme",
        plugins.card("acme/here"),
        plugins.card("acme/far", source="https://example.org"),
        plugins.card("acme/away", source="hf:acme/away", revision="a" * 40),
        plugins.card("acme/e", "histogram"),
    )
    plugins.write("lacking", plugins.card("lacking/a"), requires=["no_such_module"], extra="big")
    with Runtime() as runtime:
        cards, left_out = choose(runtime)
        assert [card.id for card in cards] == ["acme/e", "acme/here"]
        reasons = {outcome.card.id: outcome.reason for outcome in left_out}
        assert reasons.keys() == {"acme/far", "acme/away", "lacking/a"}
        assert "costs money" in reasons["acme/far"]
        assert "--pull" in reasons["acme/away"]
        assert "pip install" in reasons["lacking/a"]
        assert [card.id for card in choose(runtime, pull=True)[0]] == ["acme/away", "acme/e", "acme/here"]
        assert [card.id for card in choose(runtime, task="embed")[0]] == ["acme/e"]


def test_a_remote_model_is_chosen_where_it_is_named(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/far", source="https://example.org"))
    with Runtime() as runtime:
        cards, left_out = choose(runtime, ["acme/far"])
        assert [card.id for card in cards] == ["acme/far"]
        assert left_out == []
        _, left_out = choose(runtime, ["acme/far"], "embed")
        assert "does not serve embed" in left_out[0].reason
        with pytest.raises(UnknownModelError):
            choose(runtime, ["acme/fa"])
        with pytest.raises(UnknownTaskError):
            choose(runtime, task="embd")


def test_a_remote_model_is_not_asked_against_the_privacy(plugins: Any, calibrator: Any, probes: Any) -> None:
    with Runtime(cards=[plugins.model_card("acme/far", source="https://example.org")]) as runtime:
        (outcome,) = calibrator(runtime=runtime).run(runtime.model("acme/far").card)
    assert outcome.status == "failed"
    assert 'privacy="local"' in outcome.reason
    assert probes["acme/far"].loads == 0
