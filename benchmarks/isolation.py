"""What it costs to have a plugin in a process of its own: 64 MiB one way against a copy of them, and a small call."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from metier import Runtime
from metier_contracts import Classify, Embed, Image, ModelCard

from benchmarks.figures import Figure, at_most, interleaved, median_ratio
from benchmarks.plugins import install

_SIDE = 4096
_BYTES = 1 << 26
_LIMIT_MS = 25
_LIMIT_COPIES = 1.5
_NAME = "apart"
# Its answers are made beforehand: what is measured is their way, not their making.
_PLUGIN = """
import numpy as np
from metier_contracts import Classification, Embedding, hookimpl

LARGE = Embedding(vectors=np.ones((1, BYTES // 4), np.float32))
SMALL = Embedding(vectors=np.ones((1, 4), np.float32))
LABEL = Classification(label="a", scores={"a": 1.0, "b": 0.0})


class Apart:
    def infer(self, requests, context):
        return [answer(request) for request in requests]

    def resident_bytes(self):
        return 0

    def close(self):
        pass


def answer(request):
    if request.task == "classify":
        return LABEL
    return LARGE if request.images is None else SMALL


@hookimpl
def metier_load(card, placement):
    return Apart()
""".replace("BYTES", str(_BYTES))


def measure(calls: int = 500, copies: int = 100) -> list[Figure]:
    """Measure a runtime whose plugin is isolated, beside one that has it in its own process."""
    tasks = {"classify": {"labels": "open"}, "embed": {"modalities": ["text", "image"]}}
    card = ModelCard.from_mapping(
        {"id": "bench/apart", "plugin": _NAME, "architecture": "rule", "licence": "Apache-2.0", "tasks": tasks}
    )
    with tempfile.TemporaryDirectory() as folder:
        install(Path(folder), _NAME, _PLUGIN)
        sys.path.insert(0, folder)
        try:
            with (
                Runtime(config={"isolation": {_NAME: "process"}}, cards=[card]) as apart,
                Runtime(config={}, cards=[card]) as within,
            ):
                return [*_large(apart, copies), *_small(apart, within, calls)]
        finally:
            sys.path.remove(folder)


def _large(apart: Runtime, rounds: int) -> list[Figure]:
    pixels = np.full((_SIDE, _BYTES // _SIDE // 3, 3), 7, np.uint8)
    there, back = Embed(images=[Image(pixels=pixels)]), Embed(texts=["a"])
    target = np.zeros_like(pixels)
    copy: Callable[[], object] = lambda: np.copyto(target, pixels)  # noqa: E731
    works = [copy, lambda: apart.run(there, model="bench/apart"), lambda: apart.run(back, model="bench/apart")]
    copied, sent, received = interleaved(works, rounds, warm_up=5)
    figures = [Figure("a copy of 64 MiB within a process, p50", statistics.median(copied) * 1e3, "ms")]
    for name, seconds in (("to", sent), ("from", received)):
        title = f"a call that takes 64 MiB {name} a worker"
        figures += [
            at_most(f"{title}, p50", statistics.median(seconds) * 1e3, "ms", _LIMIT_MS),
            at_most(f"{title}, against the copy", median_ratio(seconds, copied), "times", _LIMIT_COPIES),
        ]
    return figures


def _small(apart: Runtime, within: Runtime, rounds: int) -> list[Figure]:
    request = Classify(text="a text", labels=["a", "b"])
    works = [lambda: apart.run(request, model="bench/apart"), lambda: within.run(request, model="bench/apart")]
    there, here = interleaved(works, rounds, warm_up=20)
    added = (statistics.median(there) - statistics.median(here)) * 1e3
    return [Figure("a worker adds to a small call, p50", added, "ms")]
