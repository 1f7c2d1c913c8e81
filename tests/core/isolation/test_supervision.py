"""What a death costs: the request that met it, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from metier import Runtime
from metier.isolation import Worker
from metier.isolation.gate import Backoff, Gate
from metier.plugins import discovery
from metier.tasks import Tasks
from metier_contracts import (
    TASKS,
    CallContext,
    Cancelled,
    Classify,
    DeadlineExceeded,
    Placement,
    PluginQuarantinedError,
    WorkerDiedError,
)

TIMEOUT = 20.0

MODEL = """
import os, re, signal, subprocess, sys, threading
from pathlib import Path
from metier_contracts import hookimpl
from metier_rule_models import KeywordClassifier

class Model(KeywordClassifier):
    def infer(self, requests, context):
        {work}
        return super().infer(requests, context)

@hookimpl
def metier_load(card, placement):
    return Model(card, placement)
"""

# Does what the texts say. The file tells how often that was, over all processes.
OBEYS = """
        log = Path({log!r})
        texts = [request.text for request in requests]
        with log.open("a") as lines:
            print(*texts, file=lines)
        if "die" in texts:
            os.kill(os.getpid(), signal.SIGKILL)
            signal.pause()
        if "die once" in texts and not log.with_suffix(".once").exists():
            log.with_suffix(".once").touch()
            os._exit(5)
        if "hang" in texts:
            threading.Event().wait()
        if "wait" in texts:
            context.wait(3600)
"""
STARTS_A_GREEDY_CHILD = """
        take = "held = [bytearray(b'x') * 10_000_000 for _ in range(60)]; input()"
        subprocess.Popen([sys.executable, "-c", take], stdin=subprocess.PIPE).wait()
"""
KEEPS_THE_INTERPRETER = """
        re.match(r"(x+)+$", requests[0].text)
"""


def ask(text: str) -> Classify[Any]:
    return Classify(text=text, labels=["a", "b"])


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def worker(plugins: Any, log: Path) -> Iterator[Worker]:
    plugins.write("acme", plugins.card("acme/a"), code=MODEL.format(work=OBEYS.format(log=str(log))))
    (record,) = discovery.discover()
    made = Worker(record, path=sys.path, grace=0.2)
    yield made
    made.close()


@pytest.fixture
def model(worker: Worker, plugins: Any) -> Any:
    return worker.load(plugins.model_card("acme/a"), Placement(), Tasks())


def kill(worker: Worker) -> None:
    """Kill the process as `kill -9` does, and return when the worker knows of it."""
    process = worker.running()
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait_ended(TIMEOUT)


def test_a_killed_worker_is_started_again_with_its_models(worker: Worker, model: Any) -> None:
    before = worker.pid
    kill(worker)
    assert worker.pid is None
    (answer,) = model.infer([ask("x")], CallContext())
    assert answer.label == "a"
    assert worker.pid not in (None, before)


def test_of_a_batch_only_the_one_that_kills_fails(model: Any, log: Path) -> None:
    first, poison, last = model.infer([ask("x"), ask("die"), ask("y")], CallContext())
    assert (first.label, last.label) == ("a", "a")
    assert type(poison) is WorkerDiedError
    assert "SIGKILL" in poison.got
    assert "second" in poison.got
    assert log.read_text().splitlines() == ["x die y", "x", "die", "y"]


def test_one_that_kills_once_is_answered(model: Any, log: Path) -> None:
    (answer,) = model.infer([ask("die once")], CallContext())
    assert answer.label == "a"
    assert log.read_text().splitlines() == ["die once", "die once"]


def test_what_acts_is_not_done_twice(model: Any, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    acting = replace(TASKS["classify"], idempotent=False)
    monkeypatch.setattr(Tasks, "get", lambda tasks, name: acting)
    answers = model.infer([ask("x"), ask("die")], CallContext())
    assert [type(answer) for answer in answers] == [WorkerDiedError, WorkerDiedError]
    assert log.read_text().splitlines() == ["x die"]
    assert not TASKS["act"].idempotent


def test_a_hang_is_ended_at_the_deadline(worker: Worker, model: Any) -> None:
    before = worker.pid
    with pytest.raises(DeadlineExceeded) as raised:
        model.infer([ask("hang")], CallContext(deadline=time.monotonic() + 0.2))
    assert "not answering in time" in str(raised.value)
    assert model.infer([ask("x")], CallContext())[0].label == "a"
    assert worker.pid != before


def test_one_that_heeds_its_deadline_keeps_its_process(worker: Worker, model: Any) -> None:
    before = worker.pid
    with pytest.raises(DeadlineExceeded):
        model.infer([ask("wait")], CallContext(deadline=time.monotonic() + 0.1))
    assert worker.pid == before


@pytest.mark.parametrize(("text", "lives"), [("wait", True), ("hang", False)])
def test_a_cancellation_reaches_the_model_or_ends_the_process(
    text: str, lives: bool, worker: Worker, model: Any, log: Path, start: Any
) -> None:
    before, context = worker.pid, CallContext()
    call = start(lambda: model.infer([ask(text)], context))
    while not log.exists():
        assert call.running
    context.cancel()
    assert type(call.outcome()) is Cancelled
    assert (worker.pid == before) is lives


def test_a_call_beside_a_poison_is_answered(worker: Worker, model: Any, start: Any, log: Path) -> None:
    context = CallContext()
    beside = start(lambda: model.infer([ask("wait")], context))
    while not log.exists():
        assert beside.running
    poison = start(lambda: model.infer([ask("die")], CallContext()))
    # The one beside is sent again when the worker has died the first time; it never ends, unless told.
    while log.read_text().count("wait") < 2:
        assert beside.running
    context.cancel()
    assert type(beside.outcome()) is Cancelled
    assert type(poison.outcome()[0]) is WorkerDiedError


def test_the_memory_of_what_it_starts_counts(plugins: Any) -> None:
    code = MODEL.format(work=STARTS_A_GREEDY_CHILD)
    plugins.write("acme", plugins.card("acme/a"), code=code)
    config = {"isolation": {"acme": "process"}, "worker_memory": "300MB"}
    with Runtime(config=config) as runtime, pytest.raises(WorkerDiedError) as raised:
        runtime.run(ask("x"))
    assert "more than worker_memory allows (300.0 MB)" in str(raised.value)


def test_a_plugin_that_does_not_import_is_quarantined(plugins: Any) -> None:
    plugins.write("broken", plugins.card("broken/a"), code="raise RuntimeError('no luck')")
    with Runtime(config={"isolation": {"*": "process"}}) as runtime:
        with pytest.raises(PluginQuarantinedError) as raised:
            runtime.run(ask("x"), model="broken/a")
        assert "RuntimeError: no luck" in str(raised.value)
        assert runtime.model("broken/a").state == "quarantined"


PARENT = """
import sys
from metier.isolation import Worker
from metier.plugins.discovery import PluginRecord
from metier.tasks import Tasks
from metier_contracts import CallContext, Classify, ModelCard, Placement

sys.path.insert(0, sys.argv[1])
worker = Worker(PluginRecord("acme", "metier-acme", "1", "metier_acme.plugin", "ready"), path=sys.path)
card = ModelCard.from_json(sys.argv[2])
model = worker.load(card, Placement(), Tasks())
print(worker.pid, flush=True)
model.infer([Classify(text="x" * 40 + "!", labels=["a", "b"])], CallContext())
"""


def test_a_worker_dies_with_its_parent_even_while_it_is_deaf(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/a"), code=MODEL.format(work=KEEPS_THE_INTERPRETER))
    command = [sys.executable, "-c", textwrap.dedent(PARENT), str(plugins.site)]
    card = plugins.model_card("acme/a").to_json()
    with subprocess.Popen([*command, card], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    assert psutil.wait_procs([child], timeout=TIMEOUT)[1] == []


def test_backoff_doubles_until_something_works() -> None:
    now = 100.0
    backoff = Backoff(lambda: now)
    waits = []
    for _ in range(9):
        backoff.died()
        waits.append(backoff.seconds())
    assert waits == [0, 0.5, 1, 2, 4, 8, 16, 30, 30]
    now += 29
    assert backoff.seconds() == 1
    backoff.worked()
    backoff.died()
    now += 1
    assert backoff.seconds() == 0


def test_a_start_waits_for_the_backoff_no_longer_than_its_caller(worker: Worker, model: Any) -> None:
    never = Backoff(lambda: 0.0)
    for _ in range(9):
        never.died()
    kill(worker)
    worker._backoff = never
    context = CallContext()
    context.cancel()
    with pytest.raises(Cancelled):
        model.infer([ask("x")], context)


def test_one_alone_waits_for_those_inside_and_keeps_others_out(start: Any) -> None:
    gate, entered = Gate(), []
    context = CallContext()

    def enter(name: str, way: Any) -> None:
        with way(context):
            entered.append(name)

    with gate.shared(context):
        alone = start(lambda: enter("alone", gate.alone))
        while not gate._alone:
            assert alone.running
        beside = start(lambda: enter("shared", gate.shared))
        assert entered == []
    assert alone.outcome() is beside.outcome() is None
    assert sorted(entered) == ["alone", "shared"]


def test_one_that_waits_at_the_gate_heeds_its_caller() -> None:
    gate, gone = Gate(), CallContext()
    gone.cancel()
    with gate.shared(CallContext()), pytest.raises(Cancelled), gate.alone(gone):
        pass
    with gate.alone(CallContext()), pytest.raises(Cancelled), gate.shared(gone):
        pass
