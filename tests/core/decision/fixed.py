"""A machine that stays the same, whatever runs the tests."""

from __future__ import annotations

import pytest
from metier.config import Config
from metier.decision.book import ProfileBook
from metier.decision.prices import Prices
from metier.decision.profile import Machine
from metier.decision.store import ProfileStore
from metier.paths import profiles_file
from metier.tasks import Tasks


def fix_machine(monkeypatch: pytest.MonkeyPatch, machine: Machine) -> None:
    """Let everything be decided for this machine."""

    def of(config: Config, tasks: Tasks) -> ProfileBook:
        return ProfileBook(ProfileStore(profiles_file()), Prices(config.prices), machine, tasks)

    monkeypatch.setattr(ProfileBook, "of", of)
