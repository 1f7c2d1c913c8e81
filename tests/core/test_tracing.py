"""Spans of OpenTelemetry: one for a run, one for each step, one for each call of a model, and no contents in them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from metier import Runtime, each, fallback, parallel, route, step, task
from metier_contracts import Classify, Embed, Generate, Generation, InferenceError, Sampling
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

SECRET = "my account is 4711"
PRICE = {"per_million_input_tokens": 0.3, "per_million_output_tokens": 1.1, "source": "a test", "date": "2026-01-31"}


class Spans:
    """The spans that have ended, by name."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    @property
    def all(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()

    @property
    def names(self) -> list[str]:
        return sorted(span.name for span in self.all)

    def __getitem__(self, name: str) -> ReadableSpan:
        [span] = [span for span in self.all if span.name == name]
        return span

    def parent(self, name: str) -> str | None:
        above = self[name].parent
        return None if above is None else next(span.name for span in self.all if span.context.span_id == above.span_id)


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spans]:
    provider, exporter = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    # A provider can be set once a process; the tests each have their own.
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    yield Spans(exporter)
    provider.shutdown()


@pytest.fixture
def rt(plugins: Any) -> Iterator[Runtime]:
    plugins.write(
        "acme",
        plugins.card("acme/k"),
        plugins.card("acme/e", "histogram"),
        plugins.card("acme/g", "streaming-echo", price=PRICE),
    )
    with Runtime() as made:
        yield made


@task
def echo(text: str) -> Generate:
    return Generate(messages=text, sampling=Sampling(max_tokens=20, temperature=0.5))


@task
def judge(text: str) -> Classify[str]:
    return Classify(text=text, labels=["good", "bad"])


@step
def text_of(answer: Generation) -> str:
    return answer.text


@step
def broken(text: str) -> str:
    raise ValueError(f"cannot read {text}")


def test_a_request_has_a_run_and_a_call(rt: Runtime, spans: Spans) -> None:
    answer = rt.run(Generate(messages=SECRET, sampling=Sampling(max_tokens=20, seed=3)))
    assert spans.names == ["chat acme/g", "metier.run"]
    assert spans.parent("chat acme/g") == "metier.run"
    assert spans["metier.run"].attributes == {"metier.task": "generate"}
    call = spans["chat acme/g"]
    assert call.kind is SpanKind.INTERNAL
    assert answer.provenance is not None
    assert call.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "metier",
        "gen_ai.request.model": "acme/g",
        "gen_ai.request.max_tokens": 20,
        "gen_ai.request.temperature": 0.0,
        "gen_ai.request.top_p": 1.0,
        "gen_ai.request.seed": 3,
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 4,
        "gen_ai.usage.output_tokens": 4,
        "metier.plugin": "acme",
        "metier.requests": 1,
        "metier.device": "cpu",
        "metier.cost": answer.provenance.cost,
    }


def test_a_pipeline_has_one_for_each_step(rt: Runtime, spans: Spans) -> None:
    rt.run(echo >> text_of >> judge, SECRET)
    steps = ["metier.step echo", "metier.step judge", "metier.step text_of"]
    assert spans.names == ["chat acme/g", "classify acme/k", "metier.run", *steps]
    assert {spans.parent(name) for name in steps} == {"metier.run"}
    assert spans.parent("chat acme/g") == "metier.step echo"
    assert spans.parent("classify acme/k") == "metier.step judge"
    assert spans["metier.run"].attributes == {"metier.pipeline": "echo >> text_of >> judge"}
    assert spans["metier.step judge"].attributes == {"metier.step": "judge", "metier.values": 1}


def test_it_passes_into_the_threads_of_parallel(rt: Runtime, spans: Spans) -> None:
    rt.run(parallel(echo, judge), SECRET)
    above = "metier.step parallel(echo, judge)"
    assert spans.parent("metier.step echo") == spans.parent("metier.step judge") == above
    assert spans.parent("chat acme/g") == "metier.step echo"
    assert spans.parent("classify acme/k") == "metier.step judge"
    assert len({span.context.trace_id for span in spans.all}) == 1


def test_a_run_belongs_to_the_span_of_the_program(rt: Runtime, spans: Spans) -> None:
    tracer = trace.get_tracer("program")
    with tracer.start_as_current_span("program"):
        asyncio.run(rt.arun(judge, SECRET))
        later = rt.map(echo, [SECRET, "so it is"])
        stream = rt.stream(Generate(messages=SECRET))
    for _ in later:
        assert not trace.get_current_span().get_span_context().is_valid
    list(stream)
    assert {span.context.trace_id for span in spans.all} == {spans["program"].context.trace_id}
    program = spans["program"].context.span_id
    assert sorted(span.name for span in spans.all if span.parent and span.parent.span_id == program) == [
        "chat acme/g",
        "metier.run",
        "metier.run",
    ]


def test_a_map_has_one_run_and_a_call_for_each_batch(rt: Runtime, spans: Spans) -> None:
    list(rt.map(judge, ["a", "b", "c"], batch_size=2))
    assert spans.names == ["classify acme/k"] * 2 + ["metier.run"] + ["metier.step judge"] * 2
    calls = [span.attributes or {} for span in spans.all if span.name == "classify acme/k"]
    assert [call["metier.requests"] for call in calls] == [2, 1]


def test_a_map_that_is_left_is_no_failure(rt: Runtime, spans: Spans) -> None:
    outcomes: Any = rt.map(judge, ["a", "b", "c"], batch_size=1)
    next(outcomes)
    outcomes.close()
    assert spans["metier.run"].status.status_code is StatusCode.UNSET


def test_a_stream_has_a_call(rt: Runtime, spans: Spans) -> None:
    list(rt.stream(Generate(messages=SECRET)))
    [call] = spans.all
    assert call.name == "chat acme/g"
    assert (call.attributes or {})["gen_ai.request.stream"] is True
    assert call.status.status_code is StatusCode.UNSET


def test_embeddings_go_by_the_name_of_the_conventions(rt: Runtime, spans: Spans) -> None:
    rt.run(Embed(texts=["a", "b"]))
    assert (spans["embeddings acme/e"].attributes or {})["gen_ai.embeddings.dimension.count"] == 26


def test_a_remote_call_names_its_server(plugins: Any, spans: Spans) -> None:
    servers = {"acme/o": "https://api.openai.com/v1", "acme/own": "http://127.0.0.1:8000/v1"}
    plugins.write("acme", *(plugins.card(model, "echo", source=source) for model, source in servers.items()))
    with Runtime(privacy="any") as rt:
        for model in servers:
            rt.run(Generate(messages=SECRET), model=model)
    named = ("gen_ai.provider.name", "server.address", "server.port")
    calls = [spans["chat acme/o"], spans["chat acme/own"]]
    assert [tuple((call.attributes or {})[name] for name in named) for call in calls] == [
        ("openai", "api.openai.com", 443),
        ("metier", "127.0.0.1", 8000),
    ]
    assert {call.kind for call in calls} == {SpanKind.CLIENT}


def test_what_fails_is_marked_with_its_kind(rt: Runtime, spans: Spans, probes: Any) -> None:
    probes["acme/g"].answer = lambda request: InferenceError(f"cannot read {request}")
    with pytest.raises(InferenceError):
        rt.run(echo, SECRET)
    for span in spans.all:
        assert span.status.status_code is StatusCode.ERROR
        assert span.status.description == "InferenceError"
        assert (span.attributes or {})["error.type"] == "InferenceError"


def test_what_a_fallback_mends_is_a_failure_of_the_step_alone(rt: Runtime, spans: Spans) -> None:
    rt.run(fallback(broken, echo >> text_of), SECRET)
    failed = [span.name for span in spans.all if span.status.status_code is StatusCode.ERROR]
    assert failed == ["metier.step broken"]
    assert (spans["metier.step broken"].attributes or {})["error.type"] == "ValueError"


def test_no_span_holds_what_was_asked_or_answered(rt: Runtime, spans: Spans, probes: Any) -> None:
    @step
    def many(text: str) -> list[str]:
        return [text, text]

    @step
    def key(text: str) -> str:
        return "a"

    rt.run(many >> each(fallback(broken, route(key).to({"a": echo >> text_of >> judge}))), SECRET)
    probes["acme/k"].answer = lambda request: InferenceError(f"cannot read {request}")
    for target in (judge, broken):
        with pytest.raises((InferenceError, ValueError)):
            rt.run(target, SECRET)
    assert len(spans.all) > 10
    assert all("4711" not in span.to_json() for span in spans.all)


def test_without_a_provider_nothing_is_imported_and_nothing_made(rt: Runtime, spans: Spans, monkeypatch: Any) -> None:
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    rt.run(echo >> text_of, SECRET)
    assert spans.all == ()
    program = "import sys; from metier import Runtime; Runtime().models(); print('opentelemetry' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "False\n"
