"""A model behind pipelines that counts its calls: it classifies a text by its length, and fails on what it is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from metier.pipeline.engine import Call, Failed, run_batch, whole
from metier_contracts import CallContext, Classification, InferenceError


class Models:
    """Performs requests: "long" from six characters on. `batches` holds the texts of each call."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.failing: set[str] = set()
        self.context = CallContext()

    def perform(self, requests: Sequence[Any], context: CallContext, model: str | None = None) -> list[Any]:
        self.batches.append([request.text for request in requests])
        return [self._answer(request) for request in requests]

    def _answer(self, request: Any) -> Any:
        if request.text in self.failing:
            return InferenceError(f"cannot read {request.text!r}")
        label = request.labels[len(request.text) >= 6]
        return Classification(label=label, scores={name: float(name == label) for name in request.labels})

    def run(self, pipeline: Any, value: Any) -> Any:
        return whole(run_batch(pipeline, [value], Call(self.perform, self.context, lambda perform, disk: perform))[0])

    def batch(self, pipeline: Any, values: Sequence[Any]) -> list[Any]:
        outcomes = run_batch(pipeline, values, Call(self.perform, self.context, lambda perform, disk: perform))
        return [outcome.error if isinstance(outcome, Failed) else outcome for outcome in outcomes]


@pytest.fixture
def models() -> Models:
    return Models()
