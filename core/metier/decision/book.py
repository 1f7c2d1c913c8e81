"""`ProfileBook`: what is known of every model here: measured on this machine, else reckoned from its card."""

from __future__ import annotations

from dataclasses import dataclass, field

from metier_contracts import ModelCard, Unit

from metier.config import Config
from metier.decision.estimate import from_card
from metier.decision.machine import this_machine
from metier.decision.prices import Prices
from metier.decision.profile import Machine, MeasuredQuality, Profile
from metier.decision.store import ProfileStore
from metier.paths import profiles_file
from metier.revisions import revision_of
from metier.tasks import Tasks


@dataclass(frozen=True)
class ProfileBook:
    """Looks up profiles and qualities, with the prices of today; imports neither torch nor a plugin's models.

    `tasks`: those that there are profiles for.
    """

    store: ProfileStore
    prices: Prices = field(default_factory=Prices)
    machine: Machine = field(default_factory=this_machine)
    tasks: Tasks = field(default_factory=Tasks)

    @classmethod
    def of(cls, config: Config, tasks: Tasks) -> ProfileBook:
        """Return the book of this user and machine, with the prices of the settings."""
        return cls(ProfileStore(profiles_file()), Prices(config.prices), tasks=tasks)

    def profile(self, card: ModelCard, task: str, unit: Unit | None = None) -> Profile:
        """Return the profile of a model's work on a task, for requests sized in `unit` (None: the task's first)."""
        measured = self.measured(card, task, unit)
        return measured[0] if measured else self.reckoned(card, task, unit)

    def reckoned(
        self, card: ModelCard, task: str, unit: Unit | None = None, *, machine: Machine | None = None
    ) -> Profile:
        """Return the profile that a card gives by itself, on this machine or another."""
        return from_card(card, task, self.tasks.probes(task), machine or self.machine, self.prices, unit)

    def measured(self, card: ModelCard, task: str, unit: Unit | None = None) -> list[Profile]:
        """Return the profiles measured on this machine with the weights that the card names."""
        found = self.store.profiles(card.id, task, self.machine.digest, revision_of(card), unit)
        return [self.priced(profile, card) for profile in found]

    def priced(self, profile: Profile, card: ModelCard) -> Profile:
        """Return a measured profile with the prices of today."""
        hour = self.prices.dollars_per_hour(profile.device, self.machine)
        overhead = card.tasks[profile.task].overhead
        return profile.replaced(price=card.price, overhead=overhead, dollars_per_hour=hour)

    def quality(self, card: ModelCard, task: str, sample: str | None = None) -> MeasuredQuality | None:
        """Return how well a model did on a sample (its sha256; None: the one measured last), None if never measured."""
        found = self.store.qualities(card.id, task, revision_of(card))
        return next((quality for quality in found if sample in (None, quality.sample)), None)
