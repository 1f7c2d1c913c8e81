"""Small, deterministic rule models for the fixture plugins, and the probes by which a test sees and disturbs them.

`conftest.py` puts a copy of this file beside the plugins that it writes, which import it as `metier_rule_models`.
"""

from __future__ import annotations

import json
import string
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from metier_contracts import (
    CallContext,
    Capabilities,
    Classification,
    Classify,
    ClassifyFit,
    Embed,
    Embedding,
    FitRequest,
    Forecast,
    ForecastResult,
    Generate,
    Generation,
    GenerationChunk,
    MetierError,
    ModelCard,
    Placement,
    Request,
    Response,
)

TIMEOUT = 20.0
WORDS_FILE = "words.json"


class Gate:
    """A point where callers wait until the test opens it."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._arrivals = threading.Semaphore(0)

    def __call__(self, *_: object) -> None:
        self._arrivals.release()
        if not self._open.wait(TIMEOUT):
            raise TimeoutError("nobody opened the gate")

    def await_arrival(self) -> None:
        if not self._arrivals.acquire(timeout=TIMEOUT):
            raise TimeoutError("nobody came to the gate")

    def open(self) -> None:
        self._open.set()


class Probe:
    """What one model did, and what it is told to do otherwise. Hooks take what the call takes."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.placements: list[Placement] = []
        self.batches: list[Sequence[Request[Any]]] = []
        self.contexts: list[CallContext] = []
        self.threads: list[int] = []
        self.closed = 0
        self.streams_closed = 0
        self.running = 0
        self.most_running = 0
        self.bytes: Any = None
        self.on_load: Callable[[], Any] | None = None
        self.on_infer: Callable[[Sequence[Request[Any]], CallContext], Any] | None = None
        self.on_piece: Callable[[CallContext], Any] | None = None
        self.on_fit: Callable[[FitRequest, Path, CallContext], Any] | None = None
        self.on_close: Callable[[], Any] | None = None
        self.answer: Callable[[Request[Any]], Any] | None = None
        self.answers: Callable[[list[Any]], Any] | None = None
        self.drafted: Callable[[ModelCard], Any] | None = None

    @property
    def loads(self) -> int:
        return len(self.placements)

    @property
    def sizes(self) -> list[int]:
        return [len(batch) for batch in self.batches]


PROBES: defaultdict[str, Probe] = defaultdict(Probe)


class RuleModel:
    """The part that all rule models share: the probe around `infer`, the bytes, and `close`."""

    def __init__(self, card: ModelCard, placement: Placement) -> None:
        self.card = card
        self.placement = placement
        self.probe = PROBES[card.id]

    def infer(self, requests: Sequence[Request[Any]], context: CallContext) -> Any:
        probe = self.probe
        with probe.lock:
            probe.batches.append(requests)
            probe.contexts.append(context)
            probe.threads.append(threading.get_ident())
            probe.running += 1
            probe.most_running = max(probe.most_running, probe.running)
        try:
            if probe.on_infer is not None:
                probe.on_infer(requests, context)
            answers = [(probe.answer or self.respond)(request) for request in requests]
            return answers if probe.answers is None else probe.answers(answers)
        finally:
            with probe.lock:
                probe.running -= 1

    def respond(self, request: Any) -> Response | MetierError:
        raise NotImplementedError

    def resident_bytes(self) -> int:
        given = self.probe.bytes
        if given is None:
            return self.card.bytes
        return given() if callable(given) else given  # type: ignore[no-any-return]

    def close(self) -> None:
        self.probe.closed += 1
        if self.probe.on_close is not None:
            self.probe.on_close()


class KeywordClassifier(RuleModel):
    """Scores a label by how often its word stands in the text."""

    def respond(self, request: Classify) -> Classification:
        words = Counter((request.text or "").lower().split())
        counts = {label: self.weight(label, words) for label in request.choices or self.own_labels()}
        if request.multi_label:
            scores = {label: min(1.0, float(count)) for label, count in counts.items()}
        else:
            total = sum(count + 1 for count in counts.values())
            scores = {label: (count + 1) / total for label, count in counts.items()}
        return Classification(label=max(scores, key=scores.__getitem__), scores=scores)

    def own_labels(self) -> Sequence[str]:
        labels = self.card.tasks["classify"].labels
        return labels if isinstance(labels, tuple) else ("other",)

    def weight(self, label: str, words: Counter[str]) -> int:
        return words[label.lower()]


class FittableClassifier(KeywordClassifier):
    """Counts the words of each label's examples. The fitted files are those counts."""

    def __init__(self, card: ModelCard, placement: Placement) -> None:
        super().__init__(card, placement)
        folder = placement.directory
        self.counts = {} if folder is None else json.loads((folder / WORDS_FILE).read_text(encoding="utf-8"))

    def weight(self, label: str, words: Counter[str]) -> int:
        known = self.counts.get(label, {label.lower(): 1})
        return sum(known.get(word, 0) * count for word, count in words.items())

    def fit(self, request: FitRequest, directory: Path, context: CallContext) -> Any:
        assert isinstance(request, ClassifyFit)
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for done, example in enumerate(request.examples.examples):
            counts[example.label].update(example.text.lower().split())
            context.report(done + 1, len(request.examples))
        (directory / WORDS_FILE).write_text(json.dumps(counts, sort_keys=True), encoding="utf-8")
        if self.probe.on_fit is not None:
            self.probe.on_fit(request, directory, context)
        table = Capabilities(labels=request.examples.labels, default=True)
        card = self.card.model_copy(update={"id": "drafted", "tasks": {"classify": table}})
        return card if self.probe.drafted is None else self.probe.drafted(card)


class HistogramEmbedder(RuleModel):
    """Counts the letters of each text, as a vector of length 1."""

    def respond(self, request: Embed) -> Embedding:
        rows = [[text.lower().count(letter) for letter in string.ascii_lowercase] for text in request.texts or ()]
        vectors = np.asarray(rows, dtype=np.float32) + np.float32(1e-3)
        return Embedding(vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


class LastValueForecaster(RuleModel):
    """Repeats the last value."""

    def respond(self, request: Forecast) -> ForecastResult:
        last = float(request.series.values[-1])
        return ForecastResult(
            mean=np.full(request.horizon, last),
            quantiles=np.full((request.horizon, len(request.quantiles)), last),
            quantile_levels=request.quantiles,
        )


class EchoGenerator(RuleModel):
    """Says the last message again."""

    def respond(self, request: Generate) -> Generation:
        words = request.messages[-1].text.split()
        return Generation(text=" ".join(words), finish_reason="stop", input_tokens=len(words), output_tokens=len(words))


class StreamingEcho(EchoGenerator):
    """Says it word by word."""

    def stream(self, request: Generate, context: CallContext) -> Iterator[Any]:
        try:
            for word in request.messages[-1].text.split():
                if self.probe.on_piece is not None:
                    self.probe.on_piece(context)
                yield GenerationChunk(text=word) if self.probe.answer is None else self.probe.answer(request)
        finally:
            self.probe.streams_closed += 1


KINDS = {
    "keywords": KeywordClassifier,
    "fittable": FittableClassifier,
    "histogram": HistogramEmbedder,
    "last-value": LastValueForecaster,
    "echo": EchoGenerator,
    "streaming-echo": StreamingEcho,
}

TASKS: dict[str, dict[str, dict[str, Any]]] = {
    "keywords": {"classify": {"labels": "open", "multi_label": True}},
    "fittable": {"classify": {"labels": "open"}},
    "histogram": {"embed": {"normalized": True, "dimensions": 26}},
    "last-value": {"forecast": {"quantiles": True}},
    "echo": {"generate": {}},
    "streaming-echo": {"generate": {"stream": True}},
}


def load(card: ModelCard, placement: Placement) -> Any:
    """What `metier_load` of the fixture plugins does."""
    probe = PROBES[card.id]
    with probe.lock:
        probe.placements.append(placement)
    made = probe.on_load() if probe.on_load is not None else None
    return KINDS[card.options["kind"]](card, placement) if made is None else made
