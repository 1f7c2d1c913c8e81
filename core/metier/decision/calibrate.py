"""`Calibrator`: measures the models of this machine, one after the other, and keeps each profile at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from metier_contracts import InputError, MetierError, ModelCard, Probes

from metier.decision.energy import EnergyMeter
from metier.decision.machine import this_machine
from metier.decision.measure import THOROUGH, Bench, Effort, probes_for
from metier.decision.profile import Machine, MeasuredQuality, Profile
from metier.decision.store import ProfileStore
from metier.revisions import revision_of
from metier.runtime import ModelInfo, Runtime

Status = Literal["measured", "current", "failed", "left out"]


@dataclass(frozen=True)
class Outcome:
    """What came of one model's task: what was measured, now or ("current") before, or the reason why nothing was."""

    card: ModelCard
    task: str
    status: Status
    profile: Profile | None = None
    quality: MeasuredQuality | None = None
    reason: str = ""


@dataclass(frozen=True)
class Calibrator:
    """Measures models within `effort` and keeps what it finds in `store`; what is kept already is not measured anew.

    `task`: only this one. `again`: measure anew all the same. `clock`, `meter`, `machine`: what is asked for the time,
    the energy and the machine.
    """

    runtime: Runtime
    store: ProfileStore
    effort: Effort = THOROUGH
    task: str | None = None
    again: bool = False
    clock: Callable[[], float] = time.perf_counter
    meter: EnergyMeter = field(default_factory=EnergyMeter)
    machine: Machine = field(default_factory=this_machine)

    def run(self, card: ModelCard) -> Iterator[Outcome]:
        """Yield an outcome for each of a model's tasks and units; a failure is an outcome too, and never raised."""
        missing: list[tuple[str, Probes]] = []
        for task in [name for name in card.tasks if self.task in (None, name)]:
            fitting = probes_for(card, task, self.runtime.tasks)
            if not fitting:
                yield Outcome(card, task, "left out", reason="no probe of the task fits it")
            for probes in fitting:
                if (kept := self._kept(card, task, probes)) is not None:
                    yield Outcome(card, task, "current", kept)
                else:
                    missing.append((task, probes))
        if missing:
            try:
                yield from self._measured(card, missing)
            finally:
                self.runtime.unload(card.id)

    def _kept(self, card: ModelCard, task: str, probes: Probes) -> Profile | None:
        if self.again:
            return None
        found = self.store.profiles(card.id, task, self.machine.digest, revision_of(card), probes.unit)
        return found[0] if found else None

    def _measured(self, card: ModelCard, work: Sequence[tuple[str, Probes]]) -> Iterator[Outcome]:
        bench = Bench(self.runtime, card, self.machine, self.effort, self.clock, self.meter)
        try:
            bench.load()
        except MetierError as error:
            yield from (Outcome(card, task, "failed", reason=str(error)) for task, _ in work)
            return
        for task, probes in work:
            try:
                profile = bench.measure(probes, task, self.effort.seconds / len(work))
            except InputError as error:
                # The request is one of its task, so that the model wants inputs of a kind of its own.
                yield Outcome(card, task, "left out", reason=f"it takes no request of the probes: {error.summary}")
            except MetierError as error:
                yield Outcome(card, task, "failed", reason=str(error))
            else:
                self.store.keep(profile)
                yield Outcome(card, task, "measured", profile)


def choose(
    runtime: Runtime, models: Sequence[str] = (), task: str | None = None, *, pull: bool = False
) -> tuple[list[ModelCard], list[Outcome]]:
    """Return the models to measure, and an outcome for each that is left out.

    Args:
        runtime: where the models are.
        models: their ids; none stands for every local model whose plugin is ready. A remote model is measured only
            where it is named, since each call costs money and leaves this machine.
        task: only models that serve this task.
        pull: take models, too, whose weights must be fetched first.

    Raises:
        UnknownModelError: no model has that id. UnknownTaskError: no task has that name.
    """
    if task is not None:
        runtime.tasks.require(task)
    chosen: list[ModelCard] = []
    left_out: list[Outcome] = []
    for info in [runtime.model(model) for model in models] or runtime.models():
        serves = task is None or task in info.card.tasks
        if not serves and not models:
            continue
        reason = _hindrance(info, named=bool(models), pull=pull) if serves else f"it does not serve {task}"
        if reason:
            left_out.append(Outcome(info.card, task or ", ".join(info.card.tasks), "left out", reason=reason))
        else:
            chosen.append(info.card)
    return chosen, left_out


def _hindrance(info: ModelInfo, *, named: bool, pull: bool) -> str:
    if info.card.remote and not named:
        return "remote, and measured only where it is named, since each call costs money"
    if info.state != "ready":
        return f"its plugin is {info.state}: {info.fix}"
    if not info.pulled and not pull:
        return "its weights are not here: --pull fetches them"
    return ""
