"""`Decider`: makes the table of candidates from the cards that are known here, and decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from metier_contracts import ModelCard, Size

from metier.catalog import Catalog, Entry
from metier.config import Config
from metier.decision.book import ProfileBook
from metier.decision.candidate import Candidate, State
from metier.decision.decision import Decision, decide
from metier.decision.plan import PlannedCall
from metier.decision.profile import Profile
from metier.decision.requirements import Requirements
from metier.decision.work import Work
from metier.decision.yardstick import Yardstick, yardstick
from metier.keys import key_set
from metier.permission import remote_forbidden_by, unlicensed
from metier.pipeline.trace import Asked


@dataclass(frozen=True)
class Decider:
    """Decides among the cards of a catalog. Of plugins nothing is imported for it but a task that one brings.

    `pulled`: tells whether the weights of a card are on this machine.
    """

    catalog: Catalog
    config: Config
    pulled: Callable[[ModelCard], bool]

    @cached_property
    def book(self) -> ProfileBook:
        """What is known of the cards."""
        return ProfileBook.of(self.config, self.catalog.tasks)

    def decide(self, work: Work, requirements: Requirements) -> Decision:
        """Return the decision among all cards that serve the task."""
        work = work.sized(requirements.capability_needs(), self.catalog.tasks)
        entries = self.catalog.serving(work.task)
        by = yardstick([entry.card for entry in entries], work.task, requirements, self.book)
        candidates = [self._candidate(entry, work, requirements, by) for entry in entries]
        return decide(candidates, requirements, work.task, work=str(work), yardstick="" if by is None else str(by))

    def planned(self, entry: Entry, work: Work, step: str | None) -> PlannedCall:
        """Return what one request of this work takes of a model."""
        work = work.sized({}, self.catalog.tasks)
        return self._known(entry, work).call(work, step)

    def asker(self) -> Callable[[Asked], PlannedCall]:
        """Return what tells of requests that a model answered before what they take; it looks up each profile once."""
        known: dict[Any, _Known] = {}

        def call_of(asked: Asked) -> PlannedCall:
            work = Work.of_size(asked.task, asked.size, self.catalog.tasks).sized({}, self.catalog.tasks)
            key = (asked.model, work.task, work.unit)
            if key not in known:
                known[key] = self._known(self.catalog.get(str(asked.model)), work)
            return known[key].call(work, asked.step, asked.count)

        return call_of

    def _known(self, entry: Entry, work: Work) -> _Known:
        return _Known(entry.card, self._profile(entry.card, work, Requirements()), *self._state(entry))

    def _candidate(self, entry: Entry, work: Work, requirements: Requirements, by: Yardstick | None) -> Candidate:
        card, table = entry.card, entry.card.tasks[work.task]
        state, step = self._state(entry)
        quality, source = (None, None) if by is None else by.values.get(card.id, (None, None))
        profile = self._profile(card, work, requirements)
        figures = {} if profile is None else _figures(profile, work.size)
        sources: dict[Any, Any] = {}
        if profile is not None:
            sources = {name: profile.source for name, value in figures.items() if value is not None}
        if source is not None:
            sources["quality"] = source
        needs, asked = work.needs, requirements.capability_needs()
        return Candidate(
            model=card.id,
            architecture=card.architecture,
            licence=card.licence,
            **figures,
            quality=quality,
            sources=sources,
            devices=() if card.remote else card.devices,
            remote=(card.id, urlsplit(card.source or "").hostname or "") if card.remote else (),
            lacks=tuple(dict.fromkeys([*table.unmet({**asked, **needs}), *table.unmet({**needs, **asked})])),
            forbidden=remote_forbidden_by(card, self.config),
            licensed=not unlicensed(entry, self.catalog, self.config),
            state=state,
            step=step,
        )

    def _state(self, entry: Entry) -> tuple[State, str]:
        card, plugin = entry.card, entry.plugin
        if plugin is None:
            return "install", f"install the plugin {card.plugin!r}"
        if plugin.state != "ready":
            return "broken" if plugin.state == "quarantined" else "install", plugin.fix
        if key_set(card) is False:
            return "key", f"export {card.key_env}=..."
        return ("ready", "") if self.pulled(card) else ("pull", f"metier pull {card.id}")

    def _profile(self, card: ModelCard, work: Work, requirements: Requirements) -> Profile | None:
        """Return the profile on the device required, None where this machine cannot tell."""
        profile = self.book.profile(card, work.task, work.unit)
        device = requirements.device or (None if self.config.device == "auto" else self.config.device.partition(":")[0])
        if card.remote or device is None or _kind(profile) == device:
            return profile
        machine = self.book.machine.replaced(accelerators=())
        profile = self.book.reckoned(card, work.task, work.unit, machine=machine)
        return profile if _kind(profile) == device else None


@dataclass(frozen=True)
class _Known:
    """What is known of a model's work on a task."""

    card: ModelCard
    profile: Profile | None
    state: State
    todo: str

    def call(self, work: Work, step: str | None, count: int = 1) -> PlannedCall:
        """Return what so many requests of this work take that are made together."""
        profile, size = self.profile, work.size
        cost = None if profile is None else profile.cost_per_1k(size, count)
        return PlannedCall(
            step=step,
            task=work.task,
            model=self.card.id,
            size=str(work),
            count=count,
            p50=None if profile is None else profile.latency(size, count, quantile=0.5),
            p95=None if profile is None else profile.latency(size, count),
            cost=None if cost is None else cost / 1000 * count,
            memory=None if profile is None else profile.memory,
            figures="card" if profile is None else profile.source,
            remote=self.card.remote,
            state=self.state,
            todo=self.todo,
        )


def _kind(profile: Profile) -> str:
    return (profile.device or "").partition(":")[0]


def _figures(profile: Profile, size: Size | None) -> dict[str, Any]:
    seconds = profile.latency(size)
    return {
        "latency_ms": None if seconds is None else 1000 * seconds,
        "cost_per_1k": profile.cost_per_1k(size),
        "throughput": profile.throughput(size),
        "memory": profile.memory,
    }
