"""What the runtime adds to a call: choice of model, pinning, queueing, checks and provenance, request included."""

from __future__ import annotations

import importlib
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from metier import Runtime
from metier_contracts import CallContext, Classify, Embed, ExampleSet, Model

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
# Gives the runtime a model of the mlm plugin and keeps it, so that the very same one is called alone.
_KEEPING_PLUGIN = """
from metier_contracts import hookimpl
from metier_mlm import plugin

loaded = []


@hookimpl
def metier_load(card, placement):
    loaded.append(plugin.metier_load(card, placement))
    return loaded[-1]
"""


def measure(calls: int = 3000, pairs: int = 500) -> list[Figure]:
    """Measure over a model that does nothing, and over MiniLM with one text."""
    return [*_no_op(calls), *_mini_lm(pairs)]


def _no_op(calls: int) -> list[Figure]:
    examples = ExampleSet.from_pairs([(f"text {number}", "ab"[number % 2]) for number in range(200)])
    with _installed("noop", _NO_OP_PLUGIN) as plugin, Runtime() as runtime:
        model: Model = plugin.NoOp()
        return [
            _added(runtime, model, calls, "no example", None),
            _added(runtime, model, calls, "200 examples", examples),
        ]


@contextmanager
def _installed(name: str, code: str) -> Iterator[Any]:
    """Install a plugin while the block runs, and give its module."""
    with tempfile.TemporaryDirectory() as folder:
        install(Path(folder), name, code)
        sys.path.insert(0, folder)
        try:
            yield importlib.import_module(f"bench_{name}.plugin")
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
    with _installed("keeping", _KEEPING_PLUGIN) as plugin:
        with Runtime() as other:
            card = next(info.card for info in other.models() if info.card.id == MINI_LM)
        kept = card.model_copy(update={"id": "bench/minilm", "plugin": "keeping"})
        with Runtime(cards=[kept]) as runtime:
            runtime.load(kept.id)
            (model,) = plugin.loaded
            through, alone = interleaved(
                [lambda: runtime.run(request, model=kept.id), lambda: model.infer((request,), context)],
                pairs,
                warm_up=20,
            )
    return [
        Figure("MiniLM, one text, model alone, p50", statistics.median(alone) * 1e3, "ms"),
        at_most(
            f"run() on MiniLM, one text, median of {pairs} paired differences",
            median_difference(through, alone) * 1e6,
            "us",
            150,
        ),
    ]
