"""An isolated model is to the runtime what it would be in its process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from metier import Runtime
from metier.config import Config
from metier.isolation import protection
from metier.plugins import discovery
from metier_contracts import (
    CallContext,
    Classification,
    Classify,
    ClassifyFit,
    Embed,
    FittableModel,
    Generate,
    MetierError,
    ModelLoadError,
    RateLimitedError,
    StreamingModel,
)

ISOLATED = {"isolation": {"acme": "process"}}

# Tells in its answers what it was given.
CODE = """
import os
import numpy as np
from metier_contracts import (
    Classification, Embedding, Generation, GenerationChunk, Image, RateLimitedError, Segmentation, hookimpl
)


class Lost(RateLimitedError):
    pass


class Mirror:
    device = "cpu"
    dtype = "int8"

    def __init__(self, placement):
        self.placement = placement
        self.calls = 0

    def infer(self, requests, context):
        self.calls += 1
        return [getattr(self, request.task.replace("-", "_"))(request, context) for request in requests]

    def embed(self, request, context):
        if request.images is not None:
            pixels = request.images[0].pixels
            pixels += 1
            return Embedding(vectors=pixels.reshape(1, -1).astype("float32"))
        return Embedding(vectors=np.array([[os.getpid(), self.calls]], "float32"))

    def classify(self, request, context):
        if request.text == "error":
            raise Lost("slow down", retry_after=2.5, hint="wait")
        if request.text == "item":
            return RateLimitedError("slow down", retry_after=1.5, got="much")
        if request.text == "progress":
            for done in range(3):
                context.report(done, 3)
        left = context.remaining()
        return Classification(
            label=request.labels[0],
            scores={request.labels[0]: 1.0 if left is None or 5 < left <= 10 else 0.0, request.labels[1]: 0.0},
        ) if context.seed in (None, 5) else RateLimitedError("no")

    def segment(self, request, context):
        height, width = request.image.pixels.shape[:2]
        masks = np.zeros((1, height, width), bool)
        masks[0, 1:3, 2:] = True
        return Segmentation(masks=masks, boxes=[[2, 1, width, 3]], scores=[0.5])

    def resident_bytes(self):
        return 1000 + self.calls

    def close(self):
        pass


@hookimpl
def metier_load(card, placement):
    if card.id == "acme/absent":
        return None
    if card.id == "acme/fails":
        raise KeyError("weights")
    return Mirror(placement)
"""
TASKS = {
    "classify": {"labels": "open"},
    "embed": {"modalities": ["text", "image"]},
    "segment": {"prompts": ["everything"]},
}


@pytest.fixture
def mirror(plugins: Any) -> Iterator[Runtime]:
    cards = [plugins.card(f"acme/{name}", tasks=TASKS) for name in ("m", "absent", "fails")]
    plugins.write("acme", *cards, code=CODE)
    with Runtime(config=ISOLATED) as runtime:
        yield runtime


@pytest.fixture
def isolated(plugins: Any) -> Iterator[Runtime]:
    """The rule models, isolated."""
    plugins.write(
        "acme",
        plugins.card("acme/k", bytes=100),
        plugins.card("acme/g", "streaming-echo", bytes=100),
        plugins.card("acme/fit", "fittable", bytes=100, parameters=10**6),
    )
    with Runtime(config=ISOLATED) as runtime:
        yield runtime


def test_it_runs_in_another_process_and_nothing_of_it_is_imported_here(mirror: Runtime, plugins: Any) -> None:
    pid, calls = mirror.run(Embed(texts=["x"]), model="acme/m").vectors[0]
    assert (pid, calls) != (os.getpid(), 1)
    assert mirror.run(Embed(texts=["x"]), model="acme/m").vectors[0].tolist() == [pid, 2]
    assert plugins.imported() == []


@pytest.mark.parametrize("side", [8, 400])
def test_arrays_cross_both_ways_and_the_callers_stay_as_they_are(side: int, mirror: Runtime) -> None:
    pixels = np.arange(side * side * 3, dtype=np.uint32).astype(np.uint8).reshape(side, side, 3)
    given = pixels.copy()
    for _ in range(3):
        answer = mirror.run(Embed(images=[given]), model="acme/m")
        assert (answer.vectors[0] == (pixels + np.uint8(1)).ravel()).all()
    assert (given == pixels).all()


def test_its_provenance_and_bytes_are_its_own(mirror: Runtime) -> None:
    answer = mirror.run(Embed(texts=["x"]), model="acme/m")
    assert answer.provenance is not None
    assert (answer.provenance.device, answer.provenance.dtype) == ("cpu", "int8")
    assert answer.provenance.plugin_version == "1.2.3"
    assert mirror.accounted_bytes == 1000


def test_deadline_and_seed_arrive(mirror: Runtime) -> None:
    request = Classify(text="x", labels=["a", "b"])
    assert mirror.run(request, model="acme/m", deadline=10).scores == {"a": 1.0, "b": 0.0}
    with mirror._residency.pinned(mirror.model("acme/m").card, CallContext()) as resident:
        assert resident.model is not None
        (same,) = resident.model.infer([request], CallContext(seed=5))
        (other,) = resident.model.infer([request], CallContext(seed=6))
    assert type(same) is Classification
    assert type(other) is RateLimitedError


@pytest.mark.parametrize(("text", "seconds", "part"), [("error", 2.5, "next: wait"), ("item", 1.5, "got: much")])
def test_errors_come_with_their_class_and_fields(text: str, seconds: float, part: str, mirror: Runtime) -> None:
    with pytest.raises(RateLimitedError) as raised:
        mirror.run(Classify(text=text, labels=["a", "b"]), model="acme/m")
    assert type(raised.value) is RateLimitedError
    assert raised.value.retry_after == seconds
    assert part in str(raised.value)


@pytest.mark.parametrize(("model", "part"), [("acme/absent", "NoneType"), ("acme/fails", "KeyError: 'weights'")])
def test_what_does_not_load_says_what_it_would_say_here(model: str, part: str, mirror: Runtime, plugins: Any) -> None:
    request = Classify(text="x", labels=["a", "b"])
    with pytest.raises(ModelLoadError) as there:
        mirror.run(request, model=model)
    with Runtime() as runtime, pytest.raises(ModelLoadError) as here:
        runtime.run(request, model=model)
    assert str(there.value) == str(here.value)
    assert part in str(there.value)


def test_progress_comes_back(mirror: Runtime) -> None:
    seen: list[tuple[int, int | None]] = []
    with mirror._residency.pinned(mirror.model("acme/m").card, CallContext()) as resident:
        assert resident.model is not None
        context = CallContext(progress=lambda done, total: seen.append((done, total)))
        resident.model.infer([Classify(text="progress", labels=["a", "b"])], context)
    assert seen == [(0, 3), (1, 3), (2, 3)]


def test_a_stream_is_taken_piece_by_piece(isolated: Runtime) -> None:
    pieces = isolated.stream(Generate(messages="one two three"), model="acme/g")
    assert next(pieces).text == "one"
    assert next(pieces).text == "two"
    pieces.close()
    assert [piece.text for piece in isolated.stream(Generate(messages="a b"), model="acme/g")] == ["a", "b"]


def test_only_what_it_can_do_is_offered(isolated: Runtime) -> None:
    offers = {}
    for name in ("k", "g", "fit"):
        with isolated._residency.pinned(isolated.model(f"acme/{name}").card, CallContext()) as resident:
            offers[name] = isinstance(resident.model, StreamingModel), isinstance(resident.model, FittableModel)
    assert offers == {"k": (False, False), "g": (True, False), "fit": (False, True)}


def test_a_fit_writes_into_the_runtimes_folder(isolated: Runtime) -> None:
    examples = [("red red", "warm"), ("blue", "cold")]
    card = isolated.fit(ClassifyFit(id="mine/colours", base="acme/fit", examples=examples), progress=False)
    assert card.id == "mine/colours"
    assert isolated.run(Classify(text="blue", labels=["warm", "cold"]), model="mine/colours").label == "cold"


def test_the_process_ends_with_its_last_model(isolated: Runtime) -> None:
    isolated.load("acme/k")
    isolated.load("acme/g")
    (worker,) = isolated._workers._workers.values()
    before = worker.pid
    isolated.unload("acme/k")
    assert worker.pid == before is not None
    isolated.unload("acme/g")
    assert worker.pid is None
    assert isolated.run(Classify(text="a", labels=["a", "b"]), model="acme/k").label == "a"


def test_what_does_not_load_leaves_no_process(mirror: Runtime) -> None:
    with pytest.raises(ModelLoadError):
        mirror.load("acme/fails")
    (worker,) = mirror._workers._workers.values()
    assert worker.running() is None


def test_an_interrupt_of_the_caller_reaches_the_model(isolated: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    isolated.load("acme/k")
    (worker,) = isolated._workers._workers.values()
    process = worker.running()
    assert process is not None
    sent = []

    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(process, "_awaited", interrupted)
    monkeypatch.setattr(process._channel, "send", lambda header, arrays=(): sent.append(header["do"]))
    with pytest.raises(KeyboardInterrupt):
        isolated.run(Classify(text="a", labels=["a", "b"]), model="acme/k")
    assert sent == ["infer", "cancel"]
    monkeypatch.undo()


def test_what_has_no_wire_form_is_refused_before_it_is_sent(mirror: Runtime) -> None:
    from metier.isolation import wire

    error = MetierError("x")
    error.got = object()  # type: ignore[assignment]
    assert wire.read_error(wire.write_error(error)).summary == "x"


def test_protection_is_by_name_or_for_all_others(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/a"))
    plugins.write("other", plugins.card("other/a"))
    acme, other = discovery.discover()
    config = Config.from_mapping({"isolation": {"*": "process", "acme": "inproc"}})
    assert protection(acme, config) == "inproc"
    assert protection(other, config) == "process"
    assert protection(other, Config()) == "inproc"
