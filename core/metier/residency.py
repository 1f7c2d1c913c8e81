"""`Residency`: which models are loaded, and that they fit into the byte budget.

A model is loaded at its first use, once however many callers come first. Before a load, room is made by closing idle
models, the one unused for longest first; a model at work is pinned. The bytes accounted never exceed the budget.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from metier_contracts import (
    CallContext,
    MemoryBudgetError,
    Model,
    ModelCard,
    ModelLoadError,
    Placement,
    RuntimeClosedError,
)

from metier.lane import Answer, Lane
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
    """A loaded model (or one being loaded: `model` is None)."""

    card: ModelCard
    accounted: int
    model: Model | None = None
    placement: Placement = field(default_factory=Placement)
    lane: Lane = field(default_factory=_no_lane)
    pins: int = 0
    used: float = 0.0
    measured: float = 0.0
    error: BaseException | None = None

    @property
    def device(self) -> str:
        """Where the model is, by its own word, else where it was put."""
        return str(getattr(self.model, "device", self.placement.device))

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
        self._changed = threading.Condition()
        self._closed = False

    @property
    def accounted(self) -> int:
        """The bytes of all loaded models, as measured, and of those being loaded, as estimated."""
        return sum(resident.accounted for resident in list(self._residents.values()))

    def bytes_of(self, model: str) -> int | None:
        """Return the measured bytes of a loaded model, None where it is not loaded."""
        resident = self._residents.get(model)
        return None if resident is None or resident.model is None else resident.accounted

    @contextmanager
    def pinned(self, card: ModelCard, context: CallContext) -> Iterator[Resident]:
        """Hold a model loaded while the block runs."""
        resident = self._acquire(card, context)
        try:
            yield resident
        finally:
            self._release(resident)

    def _acquire(self, card: ModelCard, context: CallContext) -> Resident:
        with self._changed:
            resident = self._existing(card, context) or self._reserve(card, context)
            resident.pins += 1
            if resident.model is not None:
                return resident
        try:
            self._fill(resident)
        except BaseException as error:
            self._give_up(resident, error)
            raise
        return resident

    def _existing(self, card: ModelCard, context: CallContext) -> Resident | None:
        """Return the loaded model, waiting while another caller loads it; None where nobody does."""
        awaited: Resident | None = None
        while True:
            if self._closed:
                raise RuntimeClosedError("the runtime is closed", hint="make a new Runtime()")
            resident = self._residents.get(card.id)
            if resident is not None and resident.model is not None:
                return resident
            if resident is None and awaited is not None and awaited.error is not None:
                raise awaited.error
            if resident is None:
                return None
            awaited = resident
            self._wait(context)

    def _wait(self, context: CallContext) -> None:
        context.check()
        self._changed.wait(_WAIT_SECONDS)

    def _reserve(self, card: ModelCard, context: CallContext) -> Resident:
        needed = self._known_bytes.get(card.id, card.bytes)
        while not self._make_room(needed, card):
            self._wait(context)
        # Room was perhaps waited for, and the lock given up meanwhile: another caller may have come first.
        existing = self._existing(card, context)
        if existing is not None:
            return existing
        resident = Resident(card, needed)
        self._residents[card.id] = resident
        return resident

    def _make_room(self, needed: int, card: ModelCard) -> bool:
        """Close idle models until `needed` bytes fit; return False while models at work stand in the way."""
        if needed > self.budget:
            raise self._too_large(card, needed)
        while self.accounted + needed > self.budget:
            idle = [resident for resident in self._residents.values() if resident.pins == 0 and resident.model]
            if not idle:
                return False
            self._close(min(idle, key=lambda resident: resident.used))
        return True

    def _too_large(self, card: ModelCard, needed: int) -> MemoryBudgetError:
        return MemoryBudgetError(
            f"the model {card.id!r} does not fit into the memory budget",
            expected=f"at most {format_bytes(self.budget)} ({self.budget} bytes)",
            got=f"{format_bytes(needed)} ({needed} bytes)",
            blame="memory=... of the Runtime, or the choice of model",
            hint="raise the budget with Runtime(memory=...), or choose a smaller model (`metier models`)",
        )

    def _fill(self, resident: Resident) -> None:
        model, placement = self._load(resident.card)
        try:
            measured = int(model.resident_bytes())
            if measured < 0:
                raise ModelLoadError("the model says that it holds fewer than no bytes", got=str(measured))
            with self._changed:
                self._admit(resident, model, placement, measured)
        except BaseException:
            model.close()
            raise

    def _admit(self, resident: Resident, model: Model, placement: Placement, measured: int) -> None:
        """Account a model that has just been loaded at its true size."""
        card = resident.card
        self._known_bytes[card.id] = measured
        if self._closed:
            raise RuntimeClosedError("the runtime was closed while the model loaded")
        resident.accounted = 0
        if not self._make_room(measured, card):
            raise self._too_large(card, measured + self.accounted)
        most = min((table.max_batch for table in card.tasks.values() if table.max_batch), default=_MOST_REQUESTS)
        resident.lane = Lane(model.infer, max_batch=most, shared=card.thread_safe)
        resident.placement, resident.accounted = placement, measured
        resident.used = resident.measured = time.monotonic()
        resident.model = model
        self._changed.notify_all()

    def _give_up(self, resident: Resident, error: BaseException) -> None:
        with self._changed:
            resident.error = error
            del self._residents[resident.card.id]
            self._changed.notify_all()

    def _release(self, resident: Resident) -> None:
        now = time.monotonic()
        with self._changed:
            resident.pins -= 1
            resident.used = now
            if resident.pins == 0 and resident.model is not None:
                if now - resident.measured > _MEASURE_EVERY_SECONDS:
                    self._measure_again(resident, now)
                self._changed.notify_all()

    def _measure_again(self, resident: Resident, now: float) -> None:
        """Account what an idle model has come to hold since; where that is too much, close it."""
        resident.measured = now
        if resident.model is None:
            return
        grown = int(resident.model.resident_bytes())
        self._known_bytes[resident.card.id] = grown
        if self.accounted - resident.accounted + grown > self.budget:
            self._close(resident)
        else:
            resident.accounted = grown

    def _close(self, resident: Resident) -> None:
        del self._residents[resident.card.id]
        model, resident.model, resident.lane = resident.model, None, _no_lane()
        if model is not None:
            # A model that fails to close is gone from the books all the same; its callers have their answers.
            with suppress(Exception):
                model.close()

    def unload(self, model: str, context: CallContext) -> bool:
        """Close a model once it is idle; return whether it was loaded."""
        with self._changed:
            while (resident := self._residents.get(model)) is not None:
                if resident.pins == 0 and resident.model is not None:
                    self._close(resident)
                    self._changed.notify_all()
                    return True
                self._wait(context)
            return False

    def close(self) -> None:
        """Refuse new calls, wait for those at work, and close every model."""
        with self._changed:
            self._closed = True
            while self._residents:
                for resident in [r for r in self._residents.values() if r.pins == 0 and r.model is not None]:
                    self._close(resident)
                if self._residents:
                    self._changed.wait(_WAIT_SECONDS)
