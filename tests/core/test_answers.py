"""What models answered before: found again by content and revision, in memory and on disk."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from metier import Runtime, Step, cache, each, fallback, private, step, task
from metier.answers import InMemory, OnDisk
from metier.terms import Terms
from metier_contracts import (
    CallContext,
    Classification,
    Classify,
    InferenceError,
    PipelineTypeError,
    Response,
    StorageError,
)

CALL = {"per_call": 0.1, "source": "a test", "date": "2026-01-31"}


@task(model="acme/k")
def judge(text: str) -> Classify[str]:
    return Classify(text=text, labels=["good", "bad"])


@task
def judge_by_any(text: str) -> Classify[str]:
    return Classify(text=text, labels=["good", "bad"])


@step
def split(text: str) -> list[str]:
    return text.split()


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("METIER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def priced(plugins: Any) -> Any:
    plugins.write("acme", plugins.card("acme/k", price=CALL))
    return plugins


def bare(answers: Sequence[Response]) -> list[Response]:
    return [answer.replaced(provenance=None) for answer in answers]


@pytest.mark.parametrize("disk", [False, True])
def test_what_was_asked_before_is_not_asked_again(priced: Any, probes: Any, disk: bool) -> None:
    with Runtime() as rt:
        pipeline = cache(judge, disk=disk)
        first = list(rt.map(pipeline, ["good day", "bad day"]))
        again = list(rt.map(pipeline, ["bad day", "a new one", "good day"]))
        assert probes["acme/k"].sizes == [2, 1]
        assert bare([again[2], again[0]]) == bare(first)
        assert [answer.provenance.cached for answer in again if answer.provenance] == [True, False, True]


def test_an_answer_from_the_cache_costs_nothing_and_is_counted_as_such(priced: Any) -> None:
    with Runtime() as rt:
        with rt.metered() as meter:
            answers = list(rt.map(cache(judge), ["a", "b", "a", "a"]))
        costs = [answer.provenance.cost for answer in answers if answer.provenance is not None]
        assert costs == [0.1, 0.1, 0.0, 0.0]
        assert (meter.usage.requests, meter.usage.cached, meter.usage.cost) == (2, 2, math.fsum(costs))
        assert meter.usage.steps["judge"].models["acme/k"].cached == 2
        assert rt.run(cache(judge), "b").provenance.cached  # another step of the same runtime


def test_each_runtime_has_a_memory_of_its_own_and_all_share_the_disk(priced: Any, probes: Any) -> None:
    for _ in range(2):
        with Runtime() as rt:
            rt.run(cache(judge), "a")
            rt.run(cache(judge, disk=True), "b")
    assert sum(probes["acme/k"].sizes) == 3


@pytest.mark.parametrize(
    "changed", [{"revision": "b" * 40}, {"options": {"rule": "first-label"}}, {"dtypes": ("float16",)}]
)
def test_a_model_of_another_revision_is_asked_anew(priced: Any, changed: dict[str, Any]) -> None:
    with Runtime() as rt:
        card = rt.model("acme/k").card
        rt.run(cache(judge, disk=True), "a")
        assert rt.run(cache(judge, disk=True), "a").provenance.cached
    for fields, cached in ((changed, False), ({"summary": "said otherwise"}, True)):
        with Runtime(
            cards=[card.replaced(**{**fields, "options": {**card.options, **fields.get("options", {})}})]
        ) as rt:
            assert rt.run(cache(judge, disk=True), "a").provenance.cached is cached


def test_another_choice_of_model_is_asked_anew(plugins: Any, probes: Any) -> None:
    plugins.write("acme", plugins.card("acme/a", parameters=1), plugins.card("acme/b", parameters=2))
    with Runtime() as rt:
        assert rt.run(cache(judge_by_any), "a").provenance.model == "acme/a"
    with Runtime(config={"defaults": {"classify": "acme/b"}}) as rt:
        answers = [rt.run(cache(judge_by_any, disk=True), "a") for _ in range(2)]
        assert [(a.provenance.model, a.provenance.cached) for a in answers] == [("acme/b", False), ("acme/b", True)]


def test_failures_are_not_kept(priced: Any, probes: Any) -> None:
    probes["acme/k"].answer = lambda request: InferenceError(f"cannot read {request.text!r}")
    with Runtime() as rt:
        pipeline = cache(judge, disk=True)
        for _ in range(2):
            errors = list(rt.map(pipeline, ["a", "a"], on_error="collect"))
            assert all(isinstance(error, InferenceError) for error in errors)
        assert (rt.usage().cached, rt.usage().failures) == (0, 2)


def test_it_works_within_other_steps(priced: Any, probes: Any) -> None:
    with Runtime() as rt:
        pipeline: Step[str, Any] = split >> each(fallback(cache(private(judge)), judge))
        assert len(rt.run(pipeline, "a b a")) == 3
        rt.run(pipeline, "b a c")
        assert probes["acme/k"].sizes == [2, 1]


@pytest.mark.parametrize(("sha256", "asked"), [(None, 2), ({"weights": "a" * 64}, 1)])
def test_files_whose_content_nobody_knows_are_asked_each_time(
    priced: Any, tmp_path: Path, sha256: Any, asked: int
) -> None:
    with Runtime() as rt:
        card = rt.model("acme/k").card.replaced(source=f"path:{tmp_path}", sha256=sha256)
    batches = []

    def perform(requests: Sequence[Any], *_: object) -> list[Any]:
        batches.append(requests)
        return [Classification(label="x", scores={"x": 1.0}) for _ in requests]

    with Runtime(cards=[card]) as rt:
        remembered = rt._answers.remembered(perform, False)
        for _ in range(2):
            remembered([Classify(text="a", labels=["x"])], CallContext(), Terms("acme/k"))
    assert len(batches) == asked


def test_a_step_without_a_task_is_refused() -> None:
    with pytest.raises(PipelineTypeError) as caught:
        cache(split)
    assert caught.value.got == "split"


def test_a_file_of_another_kind_is_named(priced: Any, cache_folder: Path) -> None:
    cache_folder.mkdir()
    (cache_folder / "answers.sqlite").write_text("no database at all, and longer than a header of one would be" * 20)
    with Runtime() as rt, pytest.raises(StorageError) as caught:
        rt.run(cache(judge, disk=True), "a")
    assert caught.value.blame == str(cache_folder / "answers.sqlite")


@pytest.mark.parametrize("kind", ["memory", "disk"])
def test_what_was_not_asked_for_the_longest_goes_first(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(1000))
    monkeypatch.setattr("metier.answers.time.time", lambda: next(clock))
    store = InMemory(limit=30) if kind == "memory" else OnDisk(tmp_path / "answers.sqlite", limit=30)
    assert store.find({"a"}) == {}
    for key in "abc":
        store.keep({key: bytes(10)})
    assert store.find({"a"}) == {"a": bytes(10)}
    store.keep({"d": bytes(10)})
    assert store.find(set("abcd")).keys() == set("acd")
    store.keep({"a": bytes(25)})
    assert store.find(set("abcd")).keys() == {"a"}
    store.keep({"e": bytes(31)})
    assert store.find(set("abcde")) == {}


def test_many_answers_are_found_at_once(tmp_path: Path) -> None:
    store = OnDisk(tmp_path / "answers.sqlite")
    store.keep({str(number): b"x" for number in range(1700)})
    assert len(store.find({str(number) for number in range(100, 1800)})) == 1600


def test_several_threads_share_a_file(tmp_path: Path) -> None:
    def work(own: int) -> None:
        store = OnDisk(tmp_path / "answers.sqlite")
        for number in range(20):
            store.keep({f"{own}-{number}": b"x"})
            assert store.find({f"{own}-{number}"})

    threads = [threading.Thread(target=work, args=(own,)) for own in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    keys = {f"{own}-{number}" for own in range(4) for number in range(20)}
    assert len(OnDisk(tmp_path / "answers.sqlite").find(keys)) == 80
