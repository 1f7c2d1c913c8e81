"""`private`: on 10,000 random pipelines no private datum reaches a socket, and without the check some do."""

from __future__ import annotations

import itertools
import random
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from metier import Runtime, cache, cascade, each, fallback, parallel, private, retry, route, step, task
from metier.pipeline.privacy import private_tasks
from metier.pipeline.step import Step
from metier_contracts import Classification, Classify, NoCapableModelError, PrivacyError

PIPELINES = 10_000
LABELS = ("odd", "even")
FREE_OF_CHARGE = {"source": "this test", "date": "2026-01-01"}  # so that it is chosen where it may be


class World:
    """Data with names, what each was made of, which of them are private, and what went through a socket."""

    def __init__(self) -> None:
        self.numbers = itertools.count()
        self.made_of: dict[str, tuple[str, ...]] = {}
        self.private: set[str] = set()
        self.sent: set[str] = set()

    def datum(self, *origins: str) -> str:
        name = f"datum-{next(self.numbers)}"
        self.made_of[name] = origins
        return name

    def leaked(self) -> set[str]:
        return {datum for datum in self.sent if self.is_private(datum)}

    def is_private(self, datum: str) -> bool:
        return datum in self.private or any(map(self.is_private, self.made_of[datum]))


class Wire:
    """A socket that keeps what is sent."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def sendall(self, data: bytes) -> None:
        self.world.sent.add(data.decode())


@pytest.fixture
def world(plugins: Any, probes: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World()
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: Wire(made))
    plugins.write(
        "acme",
        plugins.card("far", source="https://far.example", parameters=1, price=FREE_OF_CHARGE),
        plugins.card("near", parameters=99),
    )

    def send(requests: Any, context: Any) -> None:
        for request in requests:
            with socket.create_connection(("far.example", 443)) as wire:
                wire.sendall(request.text.encode())

    probes["far"].on_infer = send
    return made


@pytest.fixture
def rt(world: World) -> Iterator[Runtime]:
    with Runtime(privacy="any", memory=1000) as made:
        yield made


class Builder:
    """Makes random pipelines from a datum to a datum. Each step gives a new datum, made of what it took."""

    def __init__(self, seed: int, world: World) -> None:
        self.random = random.Random(seed)
        self.world = world
        self.leaves = [self.function, self.function, self.task]
        self.wholes: list[Callable[[int], Step[str, str]]] = [
            *(self.chain, self.parallel, self.route, self.by_type, self.fallback),
            *(self.cascade, self.each, self.retry, self.cache, self.private),
        ]

    def pipeline(self, depth: int) -> Step[str, str]:
        if depth == 0 or self.random.random() < 0.2:
            return self.random.choice(self.leaves)()
        return self.random.choice(self.wholes)(depth - 1)

    def function(self) -> Step[str, str]:
        return step(self.world.datum, takes=str, gives=str, name="function")

    def task(self) -> Step[str, str]:
        model = self.random.choice([None, None, None, "near", "far"])

        def parse(text: str) -> Classify:
            return Classify(text=text, labels=(text, "other"))

        @step
        def made(verdict: Classification) -> str:
            return self.world.datum(next(iter(verdict.scores)))

        return task(model=model, name="task")(parse) >> made

    def chain(self, depth: int) -> Step[str, str]:
        return self.pipeline(depth) >> self.pipeline(depth)

    def parallel(self, depth: int) -> Step[str, str]:
        join = step(lambda both: self.world.datum(*both), takes=tuple[str, str], gives=str)
        return parallel(self.pipeline(depth), self.pipeline(depth)) >> join

    def route(self, depth: int) -> Step[str, str]:
        chosen = self.random.choice([0, 1])
        key = self.pipeline(depth) >> step(lambda text: chosen, takes=str, gives=int)
        return route(key).to({0: self.pipeline(depth)}, default=self.pipeline(depth))

    def by_type(self, depth: int) -> Step[str, str]:
        arm = self.pipeline(depth)
        if any(port.hint is not str for port in arm.entries()):  # there is a route by type in it already
            return arm
        return route(arm, step(str, takes=int, gives=str))

    def fallback(self, depth: int) -> Step[str, str]:
        fail = step(lambda text: [][0], takes=str, gives=str)
        return fallback(self.pipeline(depth) >> fail, self.pipeline(depth))

    def cascade(self, depth: int) -> Step[str, str]:
        accepted = self.random.choice([True, False])
        accept = self.pipeline(depth) >> step(lambda text: accepted, takes=str, gives=bool)
        return cascade(self.pipeline(depth), self.pipeline(depth), accept)

    def each(self, depth: int) -> Step[str, str]:
        split = step(lambda text: [self.world.datum(text), self.world.datum(text)], takes=str, gives=list[str])
        join = step(lambda members: self.world.datum(*members), takes=list[str], gives=str)
        return split >> each(self.pipeline(depth)) >> join

    def retry(self, depth: int) -> Step[str, str]:
        return retry(self.pipeline(depth), wait=0)

    def cache(self, depth: int) -> Step[str, str]:
        return cache(self.task() >> self.pipeline(depth))

    def private(self, depth: int) -> Step[str, str]:
        release = self.random.random() < 0.3

        def mark(datum: str) -> str:
            self.world.private.add(datum)
            return datum

        end = step((lambda text: self.world.datum()) if release else self.world.datum, takes=str, gives=str)
        return private(step(mark, takes=str, gives=str) >> self.pipeline(depth) >> end, release=release)


def run_all(rt: Runtime, world: World, count: int) -> tuple[int, int]:
    """Run so many random pipelines; return how many ran, and how many were refused before anything was sent."""
    builder, ran, refused = Builder(7, world), 0, 0
    for _ in range(count):
        pipeline = builder.pipeline(builder.random.choice([1, 2, 2, 2, 3]))
        before = len(world.sent)
        try:
            rt.run(pipeline, world.datum())
            ran += 1
        except PrivacyError:
            assert len(world.sent) == before
            refused += 1
        assert not world.leaked(), pipeline.name
        world.made_of.clear()
        world.private.clear()
        world.sent.clear()
    return ran, refused


def test_no_private_datum_reaches_a_socket(rt: Runtime, world: World, probes: Any) -> None:
    ran, refused = run_all(rt, world, PIPELINES)
    assert ran + refused == PIPELINES
    assert min(ran, refused, sum(probes["far"].sizes), sum(probes["near"].sizes)) > 300


def test_without_the_taint_some_do(rt: Runtime, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Step, "secured", property(lambda pipeline: pipeline))
    with pytest.raises(AssertionError):
        run_all(rt, world, 200)


def named(name: str, model: str | None = None) -> Step[str, Classification]:
    @task(model=model, name=name)
    def make(text: str) -> Classify:
        return Classify(text=text, labels=LABELS)

    return make


NEAR, FAR, FREE = named("near", "near"), named("far", "far"), named("free")
WORDS = step(str.split, takes=str, gives=list[str], name="words")
SAME = step(str, takes=str, gives=str, name="same")
LABEL = step(lambda verdict: verdict.label, takes=Classification, gives=str, name="label")


@pytest.mark.parametrize(
    ("pipeline", "reached"),
    [
        (private(FREE), ["free"]),
        (FREE >> private(LABEL) >> FREE, ["free"]),  # what lies before is free
        (private(SAME) >> FREE, ["free"]),
        (private(SAME, release=True) >> FREE, []),
        (private(private(SAME, release=True) >> FREE), ["free"]),
        (parallel(private(SAME), FREE), ["free"]),
        (parallel(SAME >> private(SAME), FREE), []),
        (parallel(private(SAME, release=True), FREE), ["free"]),
        (fallback(FREE, private(NEAR)), ["free", "near"]),
        (route(private(SAME)).to({"a": FREE}, default=FREE), ["free", "free"]),
        (route(SAME >> private(SAME)).to({"a": FREE}, default=FREE), ["free", "free"]),
        (route(SAME >> private(SAME, release=True)).to({"a": FREE}, default=FREE), []),
        (cascade(private(NEAR), FREE, lambda verdict: True), ["near", "free"]),
        (cascade(NEAR, FREE, private(step(bool, takes=Classification, gives=bool))), ["free"]),
        (cascade(SAME, SAME, FREE >> step(bool, takes=Classification, gives=bool)) >> private(SAME), ["free"]),
        (WORDS >> each(private(SAME)) >> each(FREE), ["free"]),
        (parallel(each(private(SAME)), each(FREE)), ["free"]),
        (retry(private(SAME)) >> FREE, ["free"]),
        (FREE, []),
    ],
)
def test_where_private_data_go(pipeline: Any, reached: list[str]) -> None:
    assert [one.name for one in private_tasks(pipeline)] == reached


@pytest.mark.parametrize("verb", ["run", "map", "arun"])
def test_a_task_that_names_a_remote_model_is_refused_before_anything_runs(verb: str, rt: Runtime, world: World) -> None:
    import asyncio

    seen: list[str] = []
    pipeline = private(step(seen.append, takes=str, gives=str, name="keep")) >> fallback(NEAR, FAR)
    calls: dict[str, Callable[[], Any]] = {
        "run": lambda: rt.run(pipeline, "a"),
        "map": lambda: list(rt.map(pipeline, ["a"])),
        "arun": lambda: asyncio.run(rt.arun(pipeline, "a")),
    }
    with pytest.raises(PrivacyError, match=r"from step 'private\(keep\)' to task 'far'"):
        calls[verb]()
    assert seen == []


def test_a_local_model_is_chosen_where_data_are_private(rt: Runtime) -> None:
    assert [rt.run(one, "a").provenance.model for one in (FREE, private(FREE))] == ["far", "near"]


def test_a_default_that_is_remote_is_no_way_out(world: World) -> None:
    with (
        Runtime(privacy="any", memory=1000, config={"defaults": {"classify": "far"}}) as rt,
        pytest.raises(PrivacyError, match="data are private"),
    ):
        rt.run(private(FREE), "a")


def test_without_a_local_model_there_is_none(plugins: Any) -> None:
    plugins.write("other", plugins.card("far", source="https://far.example"))
    with Runtime(privacy="any", memory=1000) as rt, pytest.raises(NoCapableModelError, match="private data"):
        rt.run(private(FREE), "a")
