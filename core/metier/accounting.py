"""Who counts what a call of a model used, and whether it may be made: `Ledger`, `Meter` and `Charge`.

A runtime has one ledger. Every call of a model is a `Charge` on the meters that are open: the ledger's own, and those
that the caller has opened around the call. A meter with a limit is a budget: the most that a request can cost is
reserved there before the request is sent, and gives way to what it did cost.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from fractions import Fraction
from typing import Any

from metier_contracts import (
    BudgetExceededError,
    Cancelled,
    Classification,
    DeadlineExceeded,
    Generation,
    GenerationChunk,
    InputError,
    MetierError,
    ModelCard,
    ModelError,
    ModelLoadError,
    RateLimitedError,
    Request,
    Response,
)

from metier.charging import cost_of, is_known, most_it_costs
from metier.usage import Key, Totals, Usage, parts, whole

Answer = Response | MetierError
# In the order of `Totals`, but for the seconds, which are those of one request, and a float.
Counts = tuple[int, int, int, int, int, float, int]

_MOST_ENTRIES = 1000
_COUNTING = (Classification, Generation, GenerationChunk)

_OPEN: ContextVar[tuple[Meter, ...]] = ContextVar("metier_meters", default=())
_STEP: ContextVar[str | None] = ContextVar("metier_step", default=None)


class Meter:
    """Counts what was used while it was open; made by `Runtime.metered`.

    Args:
        ledger: of the runtime whose calls it counts.
        limit: the most US dollars that those calls may cost; None for no limit.
    """

    def __init__(self, ledger: Ledger, limit: float | None = None) -> None:
        self.ledger = ledger
        self.limit = limit if limit is None else _checked(limit)
        self.limited = limit is not None and not math.isinf(limit)
        self._most = parts(self.limit) if self.limit is not None and self.limited else 0
        self.spent = 0
        self.held = 0
        self._rows: dict[Key, list[int]] = {}
        self._entries: list[tuple[Key, Counts]] = []  # not summed up yet: sums are exact, and so dear

    @property
    def usage(self) -> Usage:
        """What was used so far."""
        with self.ledger.lock:
            self._sum_up()
            rows = {key: (*row,) for key, row in self._rows.items()}
        return Usage({key: _totals(*row) for key, row in rows.items()})

    def has_room_for(self, cost: int) -> bool:
        """Tell whether so much more can be reserved; the ledger's lock is held."""
        return not (self.limited and cost) or self.spent + self.held + cost <= self._most

    def add(self, key: Key, counts: Counts, freed: int = 0) -> None:
        """Add counts, and free what was reserved for them; the ledger's lock is held."""
        self._entries.append((key, counts))
        self.spent += counts[-1]
        self.held -= freed
        if len(self._entries) == _MOST_ENTRIES:
            self._sum_up()

    def _sum_up(self) -> None:
        for key, (requests, failures, cached, read, written, seconds, cost) in self._entries:
            row = self._rows.setdefault(key, [0] * 7)
            row[0] += requests
            row[5] += parts(seconds) * requests
            for position, more in ((1, failures), (2, cached), (3, read), (4, written), (6, cost)):
                row[position] += more
        self._entries.clear()


def _checked(limit: Any) -> float:
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not limit >= 0:
        raise InputError(
            "max_cost is a sum of money", expected="US dollars, 0 or more", got=repr(limit), blame="max_cost=..."
        )
    return float(limit)


def _totals(requests: int, failures: int, cached: int, read: int, written: int, seconds: int, cost: int) -> Totals:
    exact = [Fraction(count, 1) / _ONE for count in (seconds, cost)]
    return Totals(requests, failures, cached, read, written, *exact)


_ONE = parts(1.0)


class Ledger:
    """The accounts of one runtime. `limit`: the most US dollars that all its calls together may cost."""

    def __init__(self, limit: float | None = None) -> None:
        # Reentrant, since the garbage collector may close an abandoned stream, and so settle its charge, at any line.
        self.lock = threading.RLock()
        self.all = Meter(self, limit)
        self._all_alone = (self.all,)

    @contextmanager
    def metered(self, limit: float | None = None) -> Iterator[Meter]:
        """Count the calls that the block asks for."""
        meter = Meter(self, limit)
        with opened((*_OPEN.get(), meter)):
            yield meter

    def limited(self, limit: float | None) -> tuple[Meter, ...]:
        """Return the meters of a run: those that are open here, of all runtimes, and its own budget if it has one."""
        return _OPEN.get() if limit is None else (*_OPEN.get(), Meter(self, limit))

    def charge(self, card: ModelCard) -> Charge:
        """Return the charge of one call of a model, on the meters that are open now."""
        meters = self._meters() if _OPEN.get() else self._all_alone
        return Charge(self, meters, card, _STEP.get())

    def count_cached(self, answers: Sequence[object]) -> None:
        """Count what a step took from a cache, where it is the answer of a model. It costs nothing."""
        step = _STEP.get()
        for answer in answers:
            if isinstance(answer, Response) and answer.provenance is not None:
                with self.lock:
                    for meter in self._meters():
                        meter.add((step, answer.provenance.model), (0, 0, 1, 0, 0, 0, 0))

    def _meters(self) -> tuple[Meter, ...]:
        return (self.all, *(meter for meter in _OPEN.get() if meter.ledger is self))


@contextmanager
def opened(meters: tuple[Meter, ...]) -> Iterator[None]:
    """Have these meters open and no others."""
    token = _OPEN.set(meters)
    try:
        yield
    finally:
        _OPEN.reset(token)


@contextmanager
def at_step(name: str) -> Iterator[None]:
    """Count calls of models at this step."""
    token = _STEP.set(name)
    try:
        yield
    finally:
        _STEP.reset(token)


class Charge:
    """One call of a model, on the meters it counts on: what may be sent, then what was used.

    `free`: the model costs nothing, so that no budget has a say and nothing need be reserved.
    """

    __slots__ = ("_card", "_key", "_ledger", "_meters", "_reserved", "free")

    def __init__(self, ledger: Ledger, meters: tuple[Meter, ...], card: ModelCard, step: str | None) -> None:
        self._ledger = ledger
        self._meters = meters
        self._card = card
        self.free = card.price is None and not card.remote
        self._key = (step, card.id)
        self._reserved: list[int] = []  # of each request that may be sent; empty where no budget has a say

    def reserve(self, requests: Sequence[Request[Any]]) -> dict[int, MetierError]:
        """Reserve the most that each request can cost; return the errors of those that may not be sent, by position."""
        card = self._card
        if self.free or not any(meter.limited for meter in self._meters):
            return {}
        refused: dict[int, MetierError] = {}
        for position, request in enumerate(requests):
            try:
                self._reserve(parts(most_it_costs(card, request)))
            except MetierError as error:
                refused[position] = error
        return refused

    def _reserve(self, cost: int) -> None:
        with self._ledger.lock:
            full = next((meter for meter in self._meters if not meter.has_room_for(cost)), None)
            if full is not None:
                raise _exceeded(self._card, cost, full)
            for meter in self._meters:
                meter.held += cost
        self._reserved.append(cost)

    def settle(self, answers: Sequence[object], made: Sequence[object], seconds: float) -> None:
        """Count a call that was made.

        Args:
            answers: to the requests that were sent.
            made: what the model made of each, before it was checked.
            seconds: the share of each answer in the time of the call.
        """
        price = self._card.price
        failures = read = written = cost = freed = 0
        for position, answer in enumerate(answers):
            response = made[position]
            if isinstance(answer, MetierError):
                failures += 1
            if isinstance(response, _COUNTING):
                read += _count(response, "input_tokens")
                written += _count(response, "output_tokens")
            if price is not None:
                own, known = self._cost(answer, response)
                cost += own
                if self._reserved:
                    # What was sent and did not tell what it cost may have cost all that was reserved for it.
                    reserved = self._reserved[position]
                    freed += reserved if known else min(own, reserved)
        counts = (len(answers), failures, 0, read, written, seconds, cost)
        with self._ledger.lock:
            for meter in self._meters:
                meter.add(self._key, counts, freed)

    def withdraw(self, errors: int) -> None:
        """Count a call that failed before anything was sent."""
        freed = sum(self._reserved)
        with self._ledger.lock:
            for meter in self._meters:
                meter.add(self._key, (errors, errors, 0, 0, 0, 0, 0), freed)

    def _cost(self, answer: object, response: object) -> tuple[int, bool]:
        """Return what an answer cost as far as it is known, and whether that is all."""
        price = self._card.price
        if price is None or not isinstance(response, Response):
            return 0, not _may_have_cost(answer)
        try:
            return parts(cost_of(price, response)), is_known(price, response)
        except Exception:
            # A record that was built past its own checks may hold anything.
            return 0, False


def _may_have_cost(answer: object) -> bool:
    """Tell whether a call that ended so may be on a provider's bill. What it refused is not."""
    if isinstance(answer, RateLimitedError | ModelLoadError):
        return False
    return isinstance(answer, ModelError | Cancelled | DeadlineExceeded)


def _count(response: object, name: str) -> int:
    value = getattr(response, name, None)
    return value if isinstance(value, int) else 0


def _exceeded(card: ModelCard, cost: int, budget: Meter) -> BudgetExceededError:
    held = f", ${whole(budget.held):.6f} reserved for others" if budget.held else ""
    whose = "the runtime" if budget is budget.ledger.all else "the run"
    return BudgetExceededError(
        f"the request could take {whose} past its budget",
        expected=f"at most ${budget.limit:g} in all: ${whole(budget.spent):.6f} spent{held}",
        got=f"up to ${whole(cost):.6f} more, for {card.id!r}",
        blame="max_cost=... of the call, or of the runtime",
        hint="raise max_cost, lower sampling.max_tokens, or give a free model as a fallback",
    )
