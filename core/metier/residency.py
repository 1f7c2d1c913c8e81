"""`Residency`: which models are loaded, and that they fit into the byte budget.

A model is loaded at its first use, once however many callers come first. Before a load, room is made by closing idle
models, the one unused for longest first; a model at work is pinned. The bytes accounted never exceed the budget.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from metier_contracts import (
    CallContext,
    MemoryBudgetError,
    MetierError,
    Model,
    ModelCard,
    ModelLoadError,
    Placement,
    Provenance,
    RuntimeClosedError,
)

from metier.lane import INTERRUPTS, Answer, Lane
from metier.memory import format_bytes

_WAIT_SECONDS = 0.05
_MEASURE_EVERY_SECONDS = 1.0
_MOST_REQUESTS = 256

Loader = Callable[[ModelCard], tuple[Model, Placement]]


def _no_lane() -> Lane:
    """Return the lane of a model that is not loaded: nobody may infer there."""
    return Lane(_not_loaded)


def _not_loaded(requests: object, context: object) -> Sequence[Answer]:
    raise RuntimeClosedError("the model is not loaded")


@dataclass(eq=False)
class Resident:
    """A loaded model (or one being loaded: `model` is None). `provenance`: of its answers, but for the seconds."""

    card: ModelCard
    accounted: int
    model: Model | None = None
    placement: Placement = field(default_factory=Placement)
    lane: Lane = field(default_factory=_no_lane)
    pins: int = 0
    used: float = 0.0
    measured: float = 0.0
    error: MetierError | None = None
    provenance: Provenance | None = None

    @property
    def device(self) -> str:
        """Where the model is, by its own word, else where it was put."""
        return str(getattr(self.model, "device", None) or self.placement.device)

    @property
    def dtype(self) -> str | None:
        """What the model computes in, where it says so."""
        dtype: Any = getattr(self.model, "dtype", self.placement.dtype)
        return None if dtype is None else str(dtype)


class Residency:
    """The loaded models under one byte budget. `load` turns a card into a model and its placement."""

    def __init__(self, budget: int, load: Loader) -> None:
        self.budget = budget
        self._load = load
        self._residents: dict[str, Resident] = {}
        self._known_bytes: dict[str, int] = {}
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._closed = False

    @property
    def accounted(self) -> int:
        """The bytes of all loaded models, as measured, and of those being loaded, as estimated."""
        with self._lock:
            return sum(resident.accounted for resident in self._residents.values())

    def bytes_of(self, model: str) -> int | None:
        """Return the measured bytes of a loaded model, None where it is not loaded."""
        resident = self._residents.get(model)
        return None if resident is None or resident.model is None else resident.accounted

    @contextmanager
    def pinned(self, card: ModelCard, context: CallContext) -> Iterator[Resident]:
        """Hold a model loaded while the block runs."""
        resident = self.acquire(card, context)
        try:
            yield resident
        finally:
            self.release(resident)

    def acquire(self, card: ModelCard, context: CallContext) -> Resident:
        """Return a model loaded and pinned; `release` takes off the pin."""
        while True:
            resident = self._claim(card, context)
            if resident.model is not None:
                return resident
            try:
                if self._fill(resident):
                    return resident
            except BaseException as error:
                self._give_up(resident, error)
                raise
            self._give_up(resident, None)

    def _claim(self, card: ModelCard, context: CallContext) -> Resident:
        """Return the model pinned: loaded, or (with `model` None) reserved for this caller to load."""
        awaited: Resident | None = None
        with self._lock:
            while True:
                context.check()
                if self._closed:
                    raise closed_error()
                if awaited is not None and awaited.error is not None:
                    raise _another(awaited.error)
                resident = self._residents.get(card.id)
                if resident is None and self._make_room(needed := self._known_bytes.get(card.id, card.bytes), card):
                    self._residents[card.id] = resident = Resident(card, needed, pins=1)
                    return resident
                if resident is not None and resident.model is not None:
                    resident.pins += 1
                    return resident
                awaited = resident or awaited
                self._changed.wait(_WAIT_SECONDS)

    def _make_room(self, needed: int, card: ModelCard) -> bool:
        """Close idle models until `needed` bytes fit; return False while models at work stand in the way."""
        if needed > self.budget:
            raise self._too_large(card, needed)
        idle = sorted((r for r in self._residents.values() if r.pins == 0), key=lambda resident: resident.used)
        if self.accounted - sum(resident.accounted for resident in idle) + needed > self.budget:
            return False
        while self.accounted + needed > self.budget:
            self._close(idle.pop(0))
        return True

    def _too_large(self, card: ModelCard, needed: int) -> MemoryBudgetError:
        return MemoryBudgetError(
            f"the model {card.id!r} does not fit into the memory budget",
            expected=f"at most {format_bytes(self.budget)} ({self.budget} bytes)",
            got=f"{format_bytes(needed)} ({needed} bytes)",
            blame="memory=... of the Runtime, or the choice of model",
            hint="raise the budget with Runtime(memory=...), or choose a smaller model (`metier models`)",
        )

    def _fill(self, resident: Resident) -> bool:
        """Load a reserved model; return False where it proved larger than estimated and has to wait for room."""
        model, placement = self._load(resident.card)
        admitted = False
        try:
            measured = _measured(model)
            with self._lock:
                admitted = self._admit(resident, model, placement, measured)
        finally:
            if not admitted:
                _shut(model)
        return admitted

    def _admit(self, resident: Resident, model: Model, placement: Placement, measured: int) -> bool:
        """Account a model that has just been loaded at its true size, if there is room for that."""
        card = resident.card
        self._known_bytes[card.id] = measured
        if self._closed:
            raise closed_error()
        resident.accounted = 0
        if not self._make_room(measured, card):
            return False
        most = min((table.max_batch for table in card.tasks.values() if table.max_batch), default=_MOST_REQUESTS)
        resident.lane = Lane(model.infer, max_batch=most, shared=card.thread_safe)
        resident.placement, resident.accounted = placement, measured
        resident.used = resident.measured = time.monotonic()
        resident.model = model
        self._changed.notify_all()
        return True

    def _give_up(self, resident: Resident, error: BaseException | None) -> None:
        """Take a model that did not load off the books. A `MetierError` goes to all who wait for it as well.

        Anything else, an interrupt say, concerns this caller alone: the next of those who wait loads in its place.
        """
        with self._lock:
            resident.error = error if isinstance(error, MetierError) else None
            del self._residents[resident.card.id]
            self._changed.notify_all()

    def release(self, resident: Resident) -> None:
        """Take off a pin: a model without any may be closed to make room."""
        now = time.monotonic()
        with self._lock:
            resident.pins -= 1
            resident.used = now
            if resident.pins == 0:
                self._changed.notify_all()
                if now - resident.measured > _MEASURE_EVERY_SECONDS:
                    self._measure_again(resident, now)

    def _measure_again(self, resident: Resident, now: float) -> None:
        """Account what an idle model has come to hold since; where that is too much, close it."""
        resident.measured = now
        if resident.model is None:
            return
        try:
            grown = _measured(resident.model)
        except ModelLoadError:
            # The answer is there already, and the last figure is the best there is.
            return
        self._known_bytes[resident.card.id] = grown
        if self.accounted - resident.accounted + grown > self.budget:
            self._close(resident)
        else:
            resident.accounted = grown

    def _close(self, resident: Resident) -> None:
        del self._residents[resident.card.id]
        model, resident.model, resident.lane = resident.model, None, _no_lane()
        if model is not None:
            _shut(model)

    def unload(self, model: str, context: CallContext) -> bool:
        """Close a model once it is idle; return whether it was loaded."""
        with self._lock:
            while (resident := self._residents.get(model)) is not None:
                if resident.pins == 0:
                    self._close(resident)
                    self._changed.notify_all()
                    return True
                context.check()
                self._changed.wait(_WAIT_SECONDS)
            return False

    def close(self) -> None:
        """Refuse new calls, wait for those at work, and close every model."""
        with self._lock:
            self._closed = True
            self._changed.notify_all()
            while self._residents:
                for resident in [r for r in self._residents.values() if r.pins == 0]:
                    self._close(resident)
                if self._residents:
                    self._changed.wait(_WAIT_SECONDS)


def closed_error() -> RuntimeClosedError:
    """Return the error for work that a closed runtime is given."""
    return RuntimeClosedError("the runtime is closed", blame="the call to close()", hint="make a new Runtime()")


def _measured(model: Model) -> int:
    """Return the bytes that a model says it holds; raise `ModelLoadError` where that is no count."""
    try:
        count = int(model.resident_bytes())
    except INTERRUPTS:
        raise
    except BaseException as error:
        raise _no_count(f"{type(error).__name__}: {error}") from error
    if count < 0:
        raise _no_count(str(count))
    return count


def _no_count(got: str) -> ModelLoadError:
    return ModelLoadError("the model does not say how many bytes it holds", expected="a count of bytes", got=got)


def _shut(model: Model) -> None:
    """Close a model. One that fails to close is gone from the books all the same; its callers have their answers."""
    try:
        model.close()
    except INTERRUPTS:
        raise
    except BaseException:
        return


def _another(error: MetierError) -> MetierError:
    """Return a copy for one more caller: a single object raised in several threads gathers all their tracebacks."""
    other = copy.copy(error)
    other.__cause__ = error.__cause__
    return other
