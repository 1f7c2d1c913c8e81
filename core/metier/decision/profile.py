"""`Profile`: what a model's work takes on this machine, and the questions that deciding and planning ask of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import pairwise
from statistics import NormalDist
from typing import Literal

from metier_contracts import Contract, Overhead, Price, Size, Unit
from pydantic import Field

from metier.charging import dollars
from metier.decision.tokens import tokens_read

_Z95 = NormalDist().inv_cdf(0.95)


class Machine(Contract):
    """What a figure was measured on. `accelerators`: the names of the GPUs. `torch`: its version, where installed."""

    processor: str
    cores: int = Field(ge=1)
    accelerators: tuple[str, ...] = ()
    torch: str | None = None

    @cached_property
    def digest(self) -> str:
        """The sha256 of the fields, in hexadecimal."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


class Measurement(Contract):
    """Seconds of one call of `batch` requests, each of `size` in the task's unit: the median and the 95th percentile.

    `output_tokens`: how many tokens each request had written.
    """

    size: int = Field(ge=0)
    batch: int = Field(default=1, ge=1)
    output_tokens: int = Field(default=0, ge=0)
    p50: float = Field(ge=0)
    p95: float = Field(ge=0)


class Profile(Contract):
    """What one model's work on one task takes.

    `source`: "measured" by `metier calibrate` on the machine whose digest is `machine`, or reckoned from the "card".
    `weights`: `revision_of` the card measured: a profile of another revision does not count.
    `unit`: what the sizes count. `memory`: the most bytes held, of the device or of the process. `price`: of a remote
    model; `dollars_per_hour`: of the device of a local one, in US dollars. `overhead`: as the card states it. `joules`:
    of energy for a request of typical size, where the system tells. None stands for what is not known.
    """

    model: str
    task: str
    source: Literal["measured", "card"]
    weights: str
    unit: Unit
    measurements: tuple[Measurement, ...] = ()
    load_seconds: float | None = Field(default=None, ge=0)
    memory: int | None = Field(default=None, ge=0)
    tokens_per_second: float | None = Field(default=None, gt=0)
    joules: float | None = Field(default=None, ge=0)
    price: Price | None = None
    overhead: Overhead | None = None
    dollars_per_hour: float | None = Field(default=None, ge=0)
    device: str | None = None
    dtype: str | None = None
    machine: str | None = None
    metier: str | None = None
    measured: str | None = None

    @property
    def typical(self) -> Size | None:
        """The size that stands for a request where none is given: the middle one of those measured."""
        if not self._alone:
            return None
        middle = self._batched[0]
        return Size(middle.size, self.unit, middle.output_tokens)

    def latency(self, size: Size | None = None, batch: int = 1, quantile: float = 0.95) -> float | None:
        """Return the seconds of a call of `batch` requests of one size, None where it is not known.

        Between measured sizes it is interpolated, above them the last slope goes on, below them the smallest stands;
        tokens beyond those measured are added at the measured pace. How much longer a batch takes was measured at one
        size and is taken to hold for all. Quantiles other than 0.5 and 0.95 follow the log-normal through these two.
        """
        size = size or self.typical
        if size is None or size.unit != self.unit or not self._alone:
            return None
        half, most = (self._seconds(size, batch, pick) for pick in (_p50, _p95))
        if half <= 0 or quantile == 0.5:
            return half
        share = NormalDist().inv_cdf(quantile) / _Z95
        return max(most, half) if share == 1 else half * float((max(most, half) / half) ** share)

    def throughput(self, size: Size | None = None, batch: int | None = None) -> float | None:
        """Return the requests served in a second by calls of `batch`; None takes the best batch that was measured."""
        batches = {each.batch for each in self.measurements} if batch is None else {batch}
        rates = [count / seconds for count in batches if (seconds := self.latency(size, count, 0.5))]
        return max(rates, default=None)

    def cost_per_1k(self, size: Size | None = None, batch: int = 1) -> float | None:
        """Return the US dollars of 1,000 requests: by the price of a remote model, else the device's time."""
        size = size or self.typical
        if self.price is not None:
            return None if size is None else 1000 * dollars(self.price, *self._tokens(size))
        seconds = self.latency(size, batch, 0.5)
        if seconds is None or self.dollars_per_hour is None:
            return None
        return 1000 * seconds / batch * self.dollars_per_hour / 3600

    @cached_property
    def _alone(self) -> list[Measurement]:
        """Measurements of single requests, ascending in size."""
        alone = (each for each in self.measurements if each.batch == 1)
        return sorted(alone, key=lambda each: (each.size, each.output_tokens))

    @cached_property
    def _batched(self) -> list[Measurement]:
        """The middle one of the single requests, and those of batches, ascending in batch."""
        batches = (each for each in self.measurements if each.batch > 1)
        return [self._alone[(len(self._alone) - 1) // 2], *sorted(batches, key=lambda each: each.batch)]

    def _tokens(self, size: Size) -> tuple[float, int]:
        """Return the tokens that a request has read and written; where it does not say, as many as the typical one."""
        return tokens_read(size, self.overhead), size.output_tokens or (self.typical or size).output_tokens

    def _seconds(self, size: Size, batch: int, pick: Callable[[Measurement], float]) -> float:
        pace = 0.0 if self.tokens_per_second is None else 1 / self.tokens_per_second
        reading = [(each.size, max(0.0, pick(each) - pace * each.output_tokens)) for each in self._alone]
        alone = along(reading, size.amount) + pace * size.output_tokens
        if batch == 1:
            return alone
        times = [(each.batch, pick(each)) for each in self._batched]
        if len(times) == 1 or times[0][1] <= 0:
            return alone * batch
        return alone * along(times, batch) / times[0][1]


class MeasuredQuality(Contract):
    """How well a model did on a labelled sample of the user's own: `value` with its 95 % interval over `count` items.

    `sample`: the sample's sha256. `macro_f1`: the mean F1 of the labels. `failures`: the items it gave no answer to,
    which count as wrong.
    """

    model: str
    task: str
    weights: str
    sample: str
    metric: str
    value: float
    low: float
    high: float
    macro_f1: float | None = None
    count: int = Field(ge=1)
    failures: int = Field(default=0, ge=0)
    measured: str


def along(points: Sequence[tuple[float, float]], x: float) -> float:
    """Return y at x on the line through points ascending in x.

    Below the first point its y stands. Above the last the last slope goes on, unless it falls.
    """
    if x <= points[0][0] or len(points) == 1:
        return points[0][1]
    pairs = list(pairwise(points))
    left, right = next((pair for pair in pairs if x <= pair[1][0]), pairs[-1])
    if right[0] == left[0]:
        return right[1]
    slope = (right[1] - left[1]) / (right[0] - left[0])
    return left[1] + slope * (x - left[0]) if x <= right[0] else right[1] + max(0.0, slope) * (x - right[0])


def _p50(measurement: Measurement) -> float:
    return measurement.p50


def _p95(measurement: Measurement) -> float:
    return measurement.p95
