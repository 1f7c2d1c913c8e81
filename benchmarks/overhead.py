"""What the runtime adds to a call: choice of model, pinning, queueing, checks and provenance, request included."""

from __future__ import annotations

import importlib
import statistics
import sys
import tempfile
from functools import partial
from pathlib import Path

from metier import Runtime
from metier.plugins import PluginHost
from metier_contracts import CallContext, Classify, Embed, ExampleSet, Model, Placement

from benchmarks.figures import Figure, at_most, interleaved, median_difference
from benchmarks.plugins import install

MINI_LM = "all-MiniLM-L6-v2"
_NO_OP_PLUGIN = """
from metier_contracts import Classification, hookimpl


class NoOp:
    def infer(self, requests, context):
        return [answer(request.choices) for request in requests]

    def resident_bytes(self):
        return 0

    def close(self):
        pass


def answer(labels):
    return Classification(label=labels[0], scores={label: float(label == labels[0]) for label in labels})


@hookimpl
def metier_load(card, placement):
    return NoOp()
"""


def measure(calls: int = 3000, pairs: int = 500) -> list[Figure]:
    """Measure over a model that does nothing, and over MiniLM with one text."""
    return [*_no_op(calls), *_mini_lm(pairs)]


def _no_op(calls: int) -> list[Figure]:
    examples = ExampleSet.from_pairs([(f"text {number}", "ab"[number % 2]) for number in range(200)])
    with tempfile.TemporaryDirectory() as folder:
        install(Path(folder), "noop", _NO_OP_PLUGIN)
        sys.path.insert(0, folder)
        try:
            model: Model = importlib.import_module("bench_noop.plugin").NoOp()
            with Runtime() as runtime:
                return [
                    _added(runtime, model, calls, "no example", None),
                    _added(runtime, model, calls, "200 examples", examples),
                ]
        finally:
            sys.path.remove(folder)


def _added(runtime: Runtime, model: Model, calls: int, title: str, examples: ExampleSet | None) -> Figure:
    build = partial(Classify, text="a text", labels=["a", "b"], examples=examples)
    built, context = build(), CallContext()
    through, alone = interleaved(
        [lambda: runtime.run(build(), model="noop-model"), lambda: model.infer((built,), context)], calls, warm_up=50
    )
    added = (statistics.median(through) - statistics.median(alone)) * 1e6
    return at_most(f"run() over a no-op classify, {title}, p50", added, "us", 50)


def _mini_lm(pairs: int) -> list[Figure]:
    request, context = Embed(texts=["The parcel arrived a day late, but whole."]), CallContext()
    with Runtime() as runtime:
        card = next(info.card for info in runtime.models() if info.card.id == MINI_LM)
        model = PluginHost().load_model(card, Placement(directory=runtime.pull(MINI_LM)))
        through, alone = interleaved(
            [lambda: runtime.run(request, model=MINI_LM), lambda: model.infer((request,), context)], pairs, warm_up=20
        )
    model.close()
    return [
        Figure("MiniLM, one text, model alone, p50", statistics.median(alone) * 1e3, "ms"),
        at_most(
            f"run() on MiniLM, one text, median of {pairs} paired differences",
            median_difference(through, alone) * 1e6,
            "us",
            150,
        ),
    ]
