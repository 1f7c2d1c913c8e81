"""Plugins that do their worst, beside one that works."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from metier import Runtime
from metier_contracts import (
    Classify,
    ContractViolation,
    DeadlineExceeded,
    InferenceError,
    MetierError,
    ModelLoadError,
    UnknownModelError,
    WorkerDiedError,
)

REQUEST = Classify(text="good good bad", labels=["good", "bad"])
CORPUS = Path(__file__).with_name("hostile")

# Around each of the corpus. What `at_work` returns is the answer, and None lets the model answer as it should.
BEFORE = """
def at_load(): pass
def at_work(requests): pass
"""
AFTER = """
from metier_contracts import hookimpl
from metier_rule_models import KeywordClassifier

class Hostile(KeywordClassifier):
    def infer(self, requests, context):
        made = at_work(requests)
        return super().infer(requests, context) if made is None else made

@hookimpl
def metier_load(card, placement):
    at_load()
    return Hostile(card, placement)
"""

# What a request to each of them ends in, and a part of what the error says; None where it answers well all the same.
ENDS: dict[str, tuple[type[MetierError], str] | None] = {
    "allocates": (WorkerDiedError, "more than worker_memory allows"),
    "closes_everything": (WorkerDiedError, "status 74"),
    "closes_streams": None,
    "ends_process": (WorkerDiedError, "status 7"),
    "exits": (InferenceError, "SystemExit: 3"),
    "forks": (WorkerDiedError, "status 8"),
    "holds_gil": (DeadlineExceeded, "not answering in time"),
    "kills_itself": (WorkerDiedError, "SIGKILL"),
    "loops": (ModelLoadError, "no end of it"),
    "patches": None,
    "prints": None,
    "raises": (InferenceError, "ValueError: no luck"),
    "registers_twice": (UnknownModelError, "registers-twice/m"),
    "segfaults": (WorkerDiedError, "SIGSEGV"),
    "wrong_count": (ContractViolation, "int"),
    "wrong_types": (ContractViolation, "a str"),
}
HARMLESS_WITHIN = ("exits", "prints", "raises", "registers_twice", "wrong_count", "wrong_types")
MARK = "HOSTILE_CORPUS"
DEADLINES = {"holds_gil": 1.0}


@pytest.fixture
def write(plugins: Any) -> Callable[[str], str]:
    """Write a hostile plugin, and return the id of its model."""

    def written(name: str) -> str:
        dashed = name.replace("_", "-")
        # Plugins are taken by package and name, and so this one comes after the healthy plugin whose id it claims.
        cards = [plugins.card("healthy/a"), plugins.card("healthy/b")] if name == "registers_twice" else ()
        code = BEFORE + (CORPUS / f"{name}.py").read_text(encoding="utf-8") + AFTER
        plugins.write(dashed, *(cards or [plugins.card(f"{dashed}/m")]), code=code)
        return f"{dashed}/m"

    return written


def the_end_of(runtime: Runtime, name: str, model: str) -> None:
    expected = ENDS[name]
    if name in DEADLINES:
        runtime.load(model)  # a deadline is for the request
    if expected is None:
        assert runtime.run(REQUEST, model=model, deadline=DEADLINES.get(name)).label == "good"
        return
    with pytest.raises(expected[0]) as raised:
        runtime.run(REQUEST, model=model, deadline=DEADLINES.get(name))
    assert type(raised.value) is expected[0]
    assert expected[1] in str(raised.value)


def test_every_hostile_plugin_is_tried() -> None:
    assert {path.stem for path in CORPUS.glob("*.py")} == set(ENDS)


@pytest.mark.parametrize("name", HARMLESS_WITHIN)
def test_in_one_process_a_healthy_plugin_serves_beside(
    name: str, plugins: Any, write: Callable[[str], str], capfd: pytest.CaptureFixture[str]
) -> None:
    plugins.write("healthy", plugins.card("healthy/a"))
    model = write(name)
    with Runtime() as runtime:
        the_end_of(runtime, name, model)
        assert runtime.run(REQUEST, model="healthy/a").label == "good"


def test_isolated_all_of_them_leave_a_healthy_plugin_alone(
    plugins: Any,
    write: Callable[[str], str],
    start: Any,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv(MARK, str(tmp_path))
    plugins.write("healthy", plugins.card("healthy/a"))
    models = {name: write(name) for name in ENDS}
    before = os.getpid, json.loads
    settings = {"isolation": {"*": "process"}, "worker_memory": "1GB", "load_timeout": 10.0}
    with Runtime(config=settings) as runtime:
        ends = [start(lambda name=name: the_end_of(runtime, name, models[name])) for name in ENDS]
        for end in ends:
            assert runtime.run(REQUEST, model="healthy/a").label == "good"
            outcome = end.outcome(60)
            if isinstance(outcome, BaseException):
                raise outcome
        assert runtime.run(REQUEST, model="healthy/a").label == "good"
    assert (os.getpid, json.loads) == before
    assert "torch" not in sys.modules or sys.modules["torch"].matmul is not None
    assert psutil.wait_procs(marked(str(tmp_path)), timeout=20)[1] == []


def test_of_ten_gigabytes_it_gets_little_more_than_it_may_have(
    plugins: Any, write: Callable[[str], str], start: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(MARK, str(tmp_path))
    plugins.write("healthy", plugins.card("healthy/a"))
    model, taken = write("allocates"), tmp_path / "taken"
    with Runtime(config={"isolation": {"*": "process"}, "worker_memory": "300MB"}) as runtime:
        runtime.load(model)
        greedy = start(lambda: runtime.run(REQUEST, model=model))
        while not taken.exists():
            assert greedy.running
        assert runtime.run(REQUEST, model="healthy/a").label == "good"
        died = greedy.outcome(60)
        assert runtime.run(REQUEST.replaced(text="spare me"), model=model).label == "good"
    assert type(died) is WorkerDiedError
    assert "more than worker_memory allows (300.0 MB)" in died.got
    had = [int(line) for line in taken.read_text().splitlines()]
    assert had.count(had[0]) == 2  # sent once more, by itself
    assert 100_000_000 < max(had) < 3_000_000_000


def marked(value: str) -> list[psutil.Process]:
    """Return the processes that were started within the test, orphans too."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(MARK) == value:
                found.append(process)
    return found
