"""Measuring what one model's work takes: requests of several sizes, alone and in batches, within a budget of time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count, pairwise
from statistics import mean, median, quantiles
from typing import Any

from metier_contracts import InputError, ModelCard, Probes, Provenance, Request, Response, Size

from metier import __version__
from metier.decision.energy import EnergyMeter
from metier.decision.footprint import Footprint
from metier.decision.profile import Machine, Measurement, Profile
from metier.decision.tokens import tokens_read
from metier.revisions import revision_of
from metier.runtime import Runtime
from metier.tasks import Tasks

_FEWEST_CALLS = 3
_WRITING = 10  # how much longer a token takes to write than to read, about, where time is shared out


@dataclass(frozen=True)
class Effort:
    """How much a measurement may take.

    `seconds`: for one model, loading apart; of what takes longer, one call is made, and larger sizes are left out.
    `calls`: the most of one kind. `batches`: how many requests go together, beside one alone.
    """

    seconds: float
    calls: int
    batches: tuple[int, ...]


THOROUGH = Effort(seconds=60.0, calls=30, batches=(4, 16, 64))
QUICK = Effort(seconds=20.0, calls=7, batches=(16,))


@dataclass
class Bench:
    """One model, loaded to be measured. `clock` and `meter`: what is asked for the time and the energy."""

    runtime: Runtime
    card: ModelCard
    machine: Machine
    effort: Effort
    clock: Callable[[], float] = time.perf_counter
    meter: EnergyMeter = field(default_factory=EnergyMeter)

    def load(self) -> None:
        """Load the model twice and time the second: what its plugin imports at the first is no cost of the model's."""
        self.runtime.unload(self.card.id)
        self.runtime.load(self.card.id)
        self.runtime.unload(self.card.id)
        self._footprint = Footprint()
        started = self.clock()
        self.runtime.load(self.card.id)
        self._load_seconds = self.clock() - started

    def measure(self, probes: Probes, task: str, seconds: float) -> Profile:
        """Return the profile for one kind of request, in about so many seconds.

        Raises:
            MetierError: a call failed.
        """
        series = _Series(self, probes, task, seconds)
        taken, joules = series.run()
        where = series.provenance
        return Profile(
            model=self.card.id,
            task=task,
            source="measured",
            weights=revision_of(self.card),
            unit=probes.unit,
            measurements=tuple(taken),
            load_seconds=self._load_seconds,
            memory=series.memory,
            tokens_per_second=_tokens_per_second(taken) if probes.sizes[0].output_tokens else None,
            joules=joules,
            device=None if where is None else where.device,
            dtype=None if where is None else where.dtype,
            machine=self.machine.digest,
            metier=__version__,
            measured=now(),
        )

    def call(self, requests: Sequence[Request[Any]]) -> _Call:
        """Make one call, and return what it took."""
        self._footprint.restart_peak()
        joules = self.meter.start()
        started = self.clock()
        if len(requests) == 1:
            answers = [self.runtime.run(requests[0], model=self.card.id)]
        else:
            batch = len(requests)
            answers = list(self.runtime.map(requests, model=self.card.id, batch_size=batch, progress=False))
        seconds = self.clock() - started
        where = answers[0].provenance
        return _Call(seconds, joules(), self._footprint.peak(None if where is None else where.device), answers)


@dataclass(frozen=True)
class _Call:
    """What one call took, and its answers. `memory`: the most bytes held by then; `joules`: None where not told."""

    seconds: float
    joules: float | None
    memory: int
    answers: Sequence[Response]


def probes_for(card: ModelCard, task: str, tasks: Tasks) -> list[Probes]:
    """Return the probes of a task that a card serves."""
    table = card.tasks[task]
    made = [(probes, probes.make(probes.sizes[0], 0, table)) for probes in tasks.probes(task)]
    return [probes for probes, request in made if request is not None and not table.unmet(request.needs())]


def now() -> str:
    """Return the time, as records hold it: UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class _Series:
    """The measurements of one profile."""

    def __init__(self, bench: Bench, probes: Probes, task: str, seconds: float) -> None:
        self._bench = bench
        self._probes = probes
        self._capabilities = bench.card.tasks[task]
        self._share = seconds / (len(probes.sizes) + len(bench.effort.batches))
        self._ends = bench.clock() + seconds
        self._numbers = count()
        self.memory = 0
        self.provenance: Provenance | None = None

    def run(self) -> tuple[list[Measurement], float | None]:
        """Measure each size, then each batch of the middle size, as far as the time goes.

        Return the measurements, and the joules of a request of the middle size where the system tells them.
        """
        alone: list[tuple[Size, Measurement, float | None]] = []
        for size in self._probes.sizes:
            if alone and self._left() < alone[-1][1].p50 * _work(size) / _work(alone[-1][0]):
                break
            try:
                alone.append((size, *self._measure(size, 1)))
            except InputError:
                if not alone:
                    raise
                break  # larger than the model takes
        size, single, joules = alone[(len(alone) - 1) // 2]
        most = self._capabilities.max_batch
        batches = [batch for batch in self._bench.effort.batches if most is None or batch <= most]
        together = [self._measure(size, batch)[0] for batch in batches if self._left() > single.p50 * batch]
        return [*(measurement for _, measurement, _ in alone), *together], joules

    def _left(self) -> float:
        return self._ends - self._bench.clock()

    def _measure(self, size: Size, batch: int) -> tuple[Measurement, float | None]:
        # The first call of a kind is slower than those that follow, and counts only where there is no time for another.
        first = self._call(size, batch)
        calls = [first] if first.seconds > self._share else self._calls(size, batch)
        times = [call.seconds for call in calls]
        written = [getattr(answer, "output_tokens", 0) or 0 for call in calls for answer in call.answers]
        measurement = Measurement(
            size=self._request(size, 0).workload().amount,
            batch=batch,
            output_tokens=round(median(written)),
            p50=median(times),
            p95=quantiles(times, n=20, method="inclusive")[-1] if len(times) > 1 else times[0],
        )
        joules = [call.joules for call in calls if call.joules is not None]
        return measurement, mean(joules) / batch if joules else None

    def _calls(self, size: Size, batch: int) -> list[_Call]:
        """Make calls until their number or their share of the time is spent; a few at least while time is left."""
        started, calls = self._bench.clock(), [self._call(size, batch)]
        while len(calls) < self._bench.effort.calls:
            share = self._left() if len(calls) < _FEWEST_CALLS else started + self._share - self._bench.clock()
            if share <= 0:
                break
            calls.append(self._call(size, batch))
        return calls

    def _call(self, size: Size, batch: int) -> _Call:
        """Make a call of requests that the model has not seen."""
        call = self._bench.call([self._request(size, next(self._numbers)) for _ in range(batch)])
        self.memory = max(self.memory, call.memory)
        self.provenance = call.answers[0].provenance
        return call

    def _request(self, size: Size, number: int) -> Request[Any]:
        request = self._probes.make(size, number, self._capabilities)
        if request is None:
            raise InputError(
                "the probes of a task made no request",
                expected=f"a request of {size.amount} {size.unit}, as for smaller ones",
                got="None",
                blame="the probes of the task",
            )
        return request


def _work(size: Size) -> float:
    """Return what the time of a call is taken to be proportional to, before it is measured."""
    return tokens_read(size) + _WRITING * size.output_tokens


def _tokens_per_second(measurements: Sequence[Measurement]) -> float | None:
    """Return the pace of writing: of two that read the same, by how much longer the one takes that writes more."""
    writing = [each for each in measurements if each.batch == 1 and each.output_tokens > 0]
    for short, long in pairwise(writing):
        if short.size == long.size and long.output_tokens > short.output_tokens and long.p50 > short.p50:
            return (long.output_tokens - short.output_tokens) / (long.p50 - short.p50)
    return max((each.output_tokens / each.p50 for each in writing if each.p50 > 0), default=None)
