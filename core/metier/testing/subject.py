"""`Subject`: the plugin, and the model of it, that checks look at."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from metier_contracts import CallContext, Model, ModelCard, Placement, Request, Response

from metier.devices import TorchDevices, only_dtype, place
from metier.plugins.discovery import PluginRecord
from metier.plugins.host import PluginHost
from metier.tasks import Tasks
from metier.testing.closeness import TOLERANCE
from metier.testing.finding import Failure, NotApplicable
from metier.testing.guard import Guard, connections, the_guard

SEED = 7


@dataclass
class Subject:
    """What checks look at: a plugin's record, one of its cards, and requests that the card serves.

    `directory`, `scratch`: the folders of the card's weights. `allow_pickle`: whether the user granted the model to be
    unpickled. `tolerance`: by how much two answers to one request may differ, see `metier.testing.closeness`.
    `modules`, `connections`: what was imported, and connected to, before anything of the plugin.
    """

    record: PluginRecord
    model_card: ModelCard | None = None
    requests: Sequence[Request[Any]] = ()
    directory: Path | None = None
    scratch: Path | None = None
    allow_pickle: bool = False
    tolerance: float = TOLERANCE
    guard: Guard = field(default_factory=the_guard)
    modules: frozenset[str] = field(default_factory=lambda: frozenset(sys.modules))
    connections: frozenset[str] = field(default_factory=connections)

    @property
    def card(self) -> ModelCard:
        """The card of the model that is looked at."""
        if self.model_card is None:
            raise NotApplicable("the plugin brings no model")
        return self.model_card

    @property
    def device(self) -> str:
        """Where the model is loaded: on the CPU where it runs there, else on what is here; "remote" for an endpoint."""
        return place(self.card, "cpu" if "cpu" in self.card.devices else "auto", TorchDevices())

    @cached_property
    def tasks(self) -> Tasks:
        """The tasks known here, by which answers are judged."""
        return Tasks.installed()

    @cached_property
    def model(self) -> Model:
        """The model, loaded on this machine's plainest device."""
        return self.load()

    @cached_property
    def answers(self) -> list[Response]:
        """The answer to each request alone."""
        return [self.ask_one(self.model, request) for request in self.asked()]

    @cached_property
    def again(self) -> list[tuple[Response, float]]:
        """The answer to each request alone a second time, and its seconds: the model is warm by then."""
        _ = self.answers
        answers = []
        for request in self.asked():
            started = time.perf_counter()
            answer = self.ask_one(self.model, request)
            answers.append((answer, time.perf_counter() - started))
        return answers

    @cached_property
    def batched(self) -> list[tuple[list[int], Any]]:
        """Positions of requests, and what the model answers to the batch of them."""
        return [(places, self.ask(self.model, [self.requests[place] for place in places])) for places in self.batches()]

    def asked(self) -> Sequence[Request[Any]]:
        """Return the requests; raise `NotApplicable` where there are none."""
        if not self.requests:
            raise NotApplicable(f"no probe fits the tasks {', '.join(self.card.tasks)}: give requests=")
        return self.requests

    def batches(self) -> Iterator[list[int]]:
        """Yield the positions of the requests of each task, as the runtime would send them in one call.

        They stand neither by size nor against it, so that a model that sorts them shows.
        """
        for task in dict.fromkeys(request.task for request in self.asked()):
            places = [place for place, request in enumerate(self.requests) if request.task == task]
            yield [*places[1::2], *places[::2]][: self.card.tasks[task].max_batch]

    def load(self, device: str | None = None) -> Model:
        """Load the model anew, on `device` or where all others are loaded."""
        placement = Placement(
            place(self.card, device or self.device, TorchDevices()),
            only_dtype(self.card),
            self.directory,
            allow_pickle=self.allow_pickle,
            scratch=self.scratch,
        )
        with self.guard.watching():
            return PluginHost([self.record]).load_model(self.card, placement)

    @contextmanager
    def loaded(self, device: str | None = None) -> Iterator[Model]:
        """Load the model anew, and close it after the block."""
        model = self.load(device)
        try:
            yield model
        finally:
            model.close()

    def ask(self, model: Model, requests: Sequence[Request[Any]], context: CallContext | None = None) -> Any:
        """Return what the model answers to a batch, as it comes: it may be anything."""
        with self.guard.watching():
            return model.infer(requests, context or CallContext(seed=SEED))

    def ask_one(self, model: Model, request: Request[Any]) -> Response:
        """Return the answer to one request; raise `Failure` where it is not one response."""
        answers = self.ask(model, [request])
        if not isinstance(answers, Sequence) or len(answers) != 1:
            raise Failure(f"one {request.task} request was answered by {_shape(answers)}")
        if not isinstance(answers[0], Response):
            raise Failure(f"a {request.task} request that the card serves was answered by {answers[0]!r}")
        return answers[0]

    def close(self) -> None:
        """Close the model where it is loaded."""
        model = self.__dict__.get("model")
        self.forget()
        if model is not None:
            with suppress(Exception):
                model.close()

    def forget(self) -> None:
        """Let go of the model, which may be at work still: the next check loads another."""
        for name in ("model", "answers", "again", "batched"):
            self.__dict__.pop(name, None)


def _shape(answers: object) -> str:
    return f"{len(answers)} answers" if isinstance(answers, Sequence) else f"a {type(answers).__name__}"
