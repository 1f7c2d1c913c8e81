"""What comes back from a model: checked, blamed, and with its provenance."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from metier import Runtime
from metier.perform import Performer
from metier.terms import Terms
from metier_contracts import (
    CallContext,
    Cancelled,
    Classification,
    Classify,
    ContractViolation,
    DeadlineExceeded,
    Embed,
    Embedding,
    Forecast,
    Generate,
    Generation,
    GenerationChunk,
    InferenceError,
    InputError,
    NoCapableModelError,
    PluginUnavailableError,
    Series,
    UnknownModelError,
    UnsupportedError,
)

REQUEST = Classify(text="good good bad", labels=["good", "bad"])
EMBED = Embed(texts=["abc", "xyz"])


@pytest.fixture
def rt(plugins: Any) -> Iterator[Runtime]:
    plugins.write(
        "acme",
        plugins.card("acme/k"),
        plugins.card("acme/e", "histogram"),
        plugins.card("acme/f", "last-value"),
        plugins.card("acme/g", "streaming-echo"),
    )
    with Runtime() as runtime:
        yield runtime


def test_each_task_is_performed_by_its_model(rt: Runtime) -> None:
    assert rt.run(REQUEST).label == "good"
    assert rt.run(EMBED).vectors.shape == (2, 26)
    assert rt.run(Forecast(series=Series(values=[1.0, 4.0]), horizon=3)).mean.tolist() == [4.0] * 3
    assert rt.run(Generate(messages="so it is")).text == "so it is"


def test_provenance_says_who_answered_where_and_for_how_long(rt: Runtime, probes: Any) -> None:
    provenance = rt.run(REQUEST).provenance
    assert provenance is not None
    assert (provenance.model, provenance.plugin, provenance.plugin_version) == ("acme/k", "acme", "1.2.3")
    assert (provenance.device, provenance.dtype) == ("cpu", None)
    assert provenance.seconds > 0
    assert provenance.cached is False


def test_provenance_takes_a_models_word_for_where_it_is(rt: Runtime, probes: Any, rules: Any) -> None:
    class Placed(rules.KeywordClassifier):  # type: ignore[misc]
        device = "cuda:1"
        dtype = "bfloat16"

    probes["acme/k"].on_load = lambda: Placed(rt._catalog.get("acme/k").card, probes["acme/k"].placements[-1])
    provenance = rt.run(REQUEST).provenance
    assert provenance is not None
    assert (provenance.device, provenance.dtype) == ("cuda:1", "bfloat16")


def test_the_runtime_and_not_the_model_fills_in_the_provenance(rt: Runtime, probes: Any) -> None:
    forged = rt.run(REQUEST).provenance.model_copy(update={"model": "other/x"})  # type: ignore[union-attr]
    scores = {"good": 1.0, "bad": 0.0}
    probes["acme/k"].answer = lambda request: Classification(label="good", scores=scores, provenance=forged)
    assert rt.run(REQUEST).provenance.model == "acme/k"  # type: ignore[union-attr]


def test_a_batch_shares_its_seconds(rt: Runtime, probes: Any) -> None:
    answers = list(rt.map([REQUEST] * 4))
    assert probes["acme/k"].sizes == [4]
    seconds = {answer.provenance.seconds for answer in answers}  # type: ignore[union-attr]
    assert len(seconds) == 1
    assert seconds.pop() > 0


def test_one_call_a_model_and_task_and_answers_in_order(rt: Runtime, probes: Any) -> None:
    other = Classify(text="x", labels=["y"])
    answers = list(rt.map([EMBED, REQUEST, EMBED, other]))
    assert [type(answer).__name__ for answer in answers] == ["Embedding", "Classification"] * 2
    assert answers[3].label == "y"  # type: ignore[attr-defined]
    assert (probes["acme/k"].sizes, probes["acme/e"].sizes) == ([2], [2])


def test_requests_of_two_tasks_never_meet_in_one_call(plugins: Any, probes: Any, rules: Any) -> None:
    tasks = {**rules.TASKS["keywords"], **rules.TASKS["histogram"]}
    plugins.write("both", plugins.card("both/a", tasks=tasks))
    probes["both/a"].answer = lambda request: (
        rules.HistogramEmbedder.respond(None, request)
        if isinstance(request, Embed)
        else Classification(label="good", scores={"good": 1.0, "bad": 0.0})
    )
    with Runtime() as rt:
        list(rt.map([EMBED, REQUEST, EMBED, REQUEST, REQUEST]))
    assert probes["both/a"].sizes == [2, 3]


def test_a_request_that_no_model_serves_fails_alone(rt: Runtime, probes: Any) -> None:
    wrong = Classify(text="x", labels=["a"], examples=[("x", "a")])  # type: ignore[arg-type]
    first, second, third, last = rt.map([REQUEST, wrong, "text", EMBED], on_error="collect")  # type: ignore[list-item]
    assert isinstance(first, Classification)
    assert isinstance(second, NoCapableModelError)
    assert isinstance(third, InputError)
    assert isinstance(last, Embedding)


def test_an_entry_that_changes_meanwhile_loses_no_answer(
    rt: Runtime, probes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fit in another thread puts a new entry in the place of a model's old one, between two requests of a batch."""
    choose = rt._selector.choose

    def choose_anew(request: Any, *terms: Any) -> Any:
        entry = choose(request, *terms)
        rt._catalog.add("runtime", entry.card)
        rt._selector.forget()
        return entry

    monkeypatch.setattr(rt._selector, "choose", choose_anew)
    assert len(list(rt.map([REQUEST] * 5))) == 5
    assert probes["acme/k"].sizes == [5]


def bypassing(kind: Any, **fields: Any) -> Any:
    """A record that has not been through its own checks."""
    return kind.model_construct(provenance=None, **fields)


@pytest.mark.parametrize(
    ("answer", "field", "expected", "got"),
    [
        (None, "response", "a Classification", "a NoneType"),
        ("good", "response", "a Classification", "a str"),
        (REQUEST, "response", "a Classification", "a Classify"),
        (Embedding(vectors=np.ones((1, 2), np.float32)), "response", "a Classification", "a Embedding"),
        (Classification(label="good", scores={"good": 1.0}), "scores", "exactly", "scores for"),
        (Classification(label="good", scores={"good": 0.6, "bad": 0.3}), "scores", "a sum of 1", "0.9"),
        (Classification(label="good", scores={"good": 1.5, "bad": -0.5}), "scores", "each in 0..1", "1.5"),
        (Classification(label="bad", scores={"good": 0.9, "bad": 0.1}), "label", "highest score", "'bad'"),
        (bypassing(Classification, label="good", scores=None), "response", "can be checked", "TypeError"),
        (bypassing(Classification), "response", "can be checked", "AttributeError"),
    ],
)
def test_a_wrong_answer_names_all_who_are_concerned(
    answer: Any, field: str, expected: str, got: str, rt: Runtime, probes: Any
) -> None:
    probes["acme/k"].answer = lambda request: answer
    with pytest.raises(
        ContractViolation, match="the answer of model 'acme/k' breaks the contract of classify"
    ) as caught:
        rt.run(REQUEST)
    error = caught.value
    assert expected in str(error.expected)
    assert str(error.expected).startswith(f"{field}: ")
    assert got in str(error.got)
    assert error.blame == f"plugin 'acme' (metier-acme 1.2.3), model 'acme/k', field '{field}'"
    assert "model=..." in str(error.hint)


def test_the_cards_word_binds_its_model(rt: Runtime, probes: Any) -> None:
    probes["acme/e"].answer = lambda request: Embedding(vectors=np.ones((2, 26), np.float32))
    with pytest.raises(ContractViolation, match="embed") as caught:
        rt.run(EMBED)
    assert "norm 1" in str(caught.value.expected)
    probes["acme/e"].answer = lambda request: Embedding(vectors=np.ones((2, 25), np.float32))
    with pytest.raises(ContractViolation) as caught:
        rt.run(EMBED)
    assert "26 columns" in str(caught.value.expected)


def test_answers_of_the_wrong_number_are_a_violation_too(rt: Runtime, probes: Any) -> None:
    probes["acme/k"].answers = lambda answers: []
    with pytest.raises(ContractViolation, match="did not answer each request once") as caught:
        rt.run(REQUEST)
    assert caught.value.got == "0"
    assert caught.value.blame == "plugin 'acme' (metier-acme 1.2.3), model 'acme/k'"


def test_one_bad_item_of_a_batch_fails_alone(rt: Runtime, probes: Any, rules: Any) -> None:
    def answer(request: Classify) -> Any:
        if request.text == "violating":
            return None
        if request.text == "refused":
            return InputError("too long")
        return Classification(label="a", scores={"a": 1.0})

    probes["acme/k"].answer = answer
    texts = ["fine", "violating", "refused", "well"]
    outcomes = list(rt.map([Classify(text=text, labels=["a"]) for text in texts], on_error="collect"))
    assert [type(outcome) for outcome in outcomes] == [Classification, ContractViolation, InputError, Classification]
    assert outcomes[2].blame == "plugin 'acme' (metier-acme 1.2.3), model 'acme/k'"  # type: ignore[union-attr]
    assert probes["acme/k"].sizes == [4]


class Panic(BaseException):
    """What a Rust extension raises is no Exception."""


@pytest.mark.parametrize(
    "error",
    [ValueError("no luck"), SystemExit(3), Panic("no luck"), asyncio.CancelledError(), StopIteration(), OSError(5)],
)
def test_no_exception_of_a_vendors_leaks(error: BaseException, rt: Runtime, probes: Any) -> None:
    def fail(*_: Any) -> None:
        raise error

    probes["acme/k"].on_infer = fail
    with pytest.raises(InferenceError) as caught:
        rt.run(REQUEST)
    assert type(error).__name__ in str(caught.value.got)
    assert caught.value.__cause__ is error
    assert caught.value.blame == "plugin 'acme' (metier-acme 1.2.3), model 'acme/k'"
    probes["acme/k"].on_infer = None
    assert rt.run(REQUEST).label == "good"


def test_an_interrupt_passes_and_leaves_no_pin(rt: Runtime, probes: Any) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    probes["acme/k"].on_infer = interrupt
    with pytest.raises(KeyboardInterrupt):
        rt.run(REQUEST)
    probes["acme/k"].on_infer = None
    assert rt.run(REQUEST).label == "good"
    assert rt.unload("acme/k")


def test_nobody_but_the_caller_is_blamed_for_a_deadline_or_a_cancellation(rt: Runtime, probes: Any, clock: Any) -> None:
    with pytest.raises(DeadlineExceeded) as late:
        rt.run(REQUEST, deadline=0)
    assert late.value.blame == "the time allowed by the caller"
    context = CallContext()
    context.cancel()
    with pytest.raises(Cancelled) as cancelled:
        performer(rt).perform_one(REQUEST, context, Terms())
    assert cancelled.value.blame is None
    assert probes["acme/k"].batches == []


def performer(rt: Runtime) -> Performer:
    return rt._performer


def generate(text: str = "one two three") -> Generate:
    return Generate(messages=text)


def test_a_stream_is_checked_piece_by_piece_and_says_where_it_comes_from(rt: Runtime) -> None:
    pieces = list(rt.stream(generate()))
    assert [piece.text for piece in pieces] == ["one", "two", "three"]
    for piece in pieces:
        assert piece.provenance is not None
        assert piece.provenance.model == "acme/g"
        assert piece.provenance.seconds > 0


def test_a_piece_of_the_wrong_type(rt: Runtime, probes: Any) -> None:
    probes["acme/g"].answer = lambda request: "one"
    with pytest.raises(ContractViolation, match="acme/g") as caught:
        next(rt.stream(generate()))
    assert (caught.value.expected, caught.value.got) == ("chunk: a GenerationChunk", "a str")
    assert "field 'chunk'" in str(caught.value.blame)
    assert probes["acme/g"].streams_closed == 1
    assert rt.unload("acme/g")


@pytest.mark.parametrize("error", [ValueError("no luck"), SystemExit(3), Panic("no luck")])
def test_a_stream_that_breaks(error: BaseException, rt: Runtime, probes: Any) -> None:
    def fail_later(context: CallContext) -> None:
        if probes["acme/g"].streams_closed == 0 and seen:
            raise error
        seen.append(context)

    seen: list[CallContext] = []
    probes["acme/g"].on_piece = fail_later
    pieces = rt.stream(generate())
    assert next(pieces).text == "one"
    with pytest.raises(InferenceError) as caught:
        next(pieces)
    assert type(error).__name__ in str(caught.value.got)
    assert "metier-acme 1.2.3" in str(caught.value.blame)
    assert list(pieces) == []
    assert rt.unload("acme/g")


def test_closing_the_iterator_stops_the_model(rt: Runtime, probes: Any) -> None:
    probe = probes["acme/g"]
    contexts: list[CallContext] = []
    probe.on_piece = contexts.append
    pieces: Any = rt.stream(generate())
    next(pieces)
    pieces.close()
    assert probe.streams_closed == 1
    assert contexts[0].cancelled  # a thread of the model's own is told to stop
    assert len(contexts) == 1
    assert rt.unload("acme/g")


def test_leaving_the_loop_stops_the_model(rt: Runtime, probes: Any) -> None:
    for piece in rt.stream(generate()):
        assert piece.text == "one"
        break
    assert probes["acme/g"].streams_closed == 1
    assert rt.unload("acme/g")


def test_a_stream_whose_iterator_has_no_close_stops_too(rt: Runtime, probes: Any, rules: Any) -> None:
    class Plain(rules.EchoGenerator):  # type: ignore[misc]
        def stream(self, request: Any, context: CallContext) -> Iterator[Any]:
            return iter([GenerationChunk(text="a"), GenerationChunk(text="b")])

    probes["acme/g"].on_load = lambda: Plain(rt._catalog.get("acme/g").card, probes["acme/g"].placements[-1])
    assert [piece.text for piece in rt.stream(generate())] == ["a", "b"]
    pieces: Any = rt.stream(generate())
    next(pieces)
    pieces.close()
    assert rt.unload("acme/g")


def test_nothing_is_loaded_before_the_first_piece_is_asked_for(rt: Runtime, probes: Any) -> None:
    pieces = rt.stream(generate())
    assert probes["acme/g"].loads == 0
    next(pieces)
    assert probes["acme/g"].loads == 1


def test_a_call_in_the_midst_of_ones_own_stream_is_refused_rather_than_kept_waiting_for_ever(rt: Runtime) -> None:
    pieces = rt.stream(generate())
    next(pieces)
    with pytest.raises(InputError, match="a stream that this very thread has open"):
        rt.run(generate())
    pieces.close()  # type: ignore[attr-defined]
    assert rt.run(generate())


def test_while_it_streams_the_model_does_nothing_else(rt: Runtime, probes: Any, start: Any, line: Any) -> None:
    pieces = rt.stream(generate())
    next(pieces)
    rt._residency._residents["acme/g"].lane._waiting = line
    waiting = start(lambda: rt.run(generate()))
    line.await_joining()
    assert probes["acme/g"].batches == []
    assert waiting.running
    assert [piece.text for piece in pieces] == ["two", "three"]
    assert isinstance(waiting.outcome(), Generation)


def test_a_stream_ends_at_its_deadline(rt: Runtime, probes: Any, clock: Any) -> None:
    pieces = rt.stream(generate(), deadline=1)
    next(pieces)
    clock.advance(1)
    with pytest.raises(DeadlineExceeded):
        next(pieces)
    assert probes["acme/g"].streams_closed == 1
    assert rt.unload("acme/g")


def test_what_cannot_stream_says_so_at_once(plugins: Any, rt: Runtime) -> None:
    with pytest.raises(UnsupportedError, match="classify does not stream") as caught:
        rt.stream(REQUEST)
    assert caught.value.hint == "use run()"
    with pytest.raises(InputError, match="not a request"):
        rt.stream("text")  # type: ignore[call-overload]
    with pytest.raises(UnknownModelError):
        rt.stream(generate(), model="acme/z")


def test_a_model_that_does_not_stream_is_named_without_loading_it(plugins: Any, probes: Any) -> None:
    plugins.write("acme", plugins.card("acme/w", "echo"))
    with Runtime() as rt:
        for model in (None, "acme/w"):
            with pytest.raises(UnsupportedError, match="'acme/w' does not stream") as caught:
                rt.stream(generate(), model=model)
            assert caught.value.expected == "a card that says stream = true for generate"
            assert caught.value.got == "stream = false"
            assert "metier-acme 1.2.3" in str(caught.value.blame)
        with pytest.raises(NoCapableModelError, match="this generate request"):
            rt.stream(Generate(messages="x", json_schema={}), model="acme/w")
    assert probes["acme/w"].loads == 0


def test_of_two_models_the_one_that_streams_is_taken(plugins: Any, rt: Runtime) -> None:
    plugins.write("whole", plugins.card("whole/w", "echo", parameters=1))
    with Runtime() as both:
        assert both.run(generate()).provenance.model == "whole/w"  # type: ignore[union-attr]
        assert next(both.stream(generate())).provenance.model == "acme/g"  # type: ignore[union-attr]


def test_a_streaming_model_whose_plugin_lacks_its_extra(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/w", "echo"))
    plugins.write("bare", plugins.card("bare/g", "streaming-echo"), extra="x", requires=["surely_not_here"])
    with Runtime() as rt, pytest.raises(PluginUnavailableError) as caught:
        rt.stream(generate())
    assert caught.value.hint == 'pip install "metier-bare[x]"'


def test_a_card_that_promises_to_stream_and_a_model_that_does_not(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/w", "echo", tasks={"generate": {"stream": True}}))
    with Runtime() as rt:
        with pytest.raises(UnsupportedError, match="though its card says so") as caught:
            next(rt.stream(generate()))
        assert caught.value.got == "EchoGenerator"
        assert "metier-acme 1.2.3" in str(caught.value.blame)
        assert rt.unload("acme/w")


PRICE = {"per_call": 0.5, "per_million_input_tokens": 1e6, "per_million_output_tokens": 2e6}


def test_a_price_on_the_card_makes_the_cost_of_an_answer(plugins: Any, probes: Any) -> None:
    price = {**PRICE, "source": "a test", "date": "2026-01-31"}
    plugins.write("acme", plugins.card("acme/g", "streaming-echo", price=price), plugins.card("acme/k", price=price))
    with Runtime() as rt:
        whole = rt.run(Generate(messages="so it is"))
        assert whole.provenance is not None
        assert whole.provenance.cost == 0.5 + whole.input_tokens + 2 * whole.output_tokens
        ends = [None, None, "stop"]
        chunks = [GenerationChunk(text="a", finish_reason=end, input_tokens=3, output_tokens=4) for end in ends]  # type: ignore[arg-type]
        probes["acme/g"].answer = lambda request: chunks.pop(0)
        pieces = list(rt.stream(Generate(messages="so it is")))
        assert [piece.provenance.cost for piece in pieces if piece.provenance is not None] == [0.0, 0.0, 11.5]
        classified = rt.run(REQUEST)
        assert classified.provenance is not None
        assert classified.provenance.cost == 0.5
