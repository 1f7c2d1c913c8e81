"""What is known of every model."""

from __future__ import annotations

from typing import Any

import pytest
from metier import Runtime
from metier.decision.book import ProfileBook
from metier.decision.prices import Prices
from metier.decision.profile import MeasuredQuality
from metier.revisions import revision_of

from .conftest import MACHINE


@pytest.fixture
def book(store: Any) -> ProfileBook:
    return ProfileBook(store, Prices({"cpu": 3.6}), MACHINE)


def test_a_measured_profile_stands_over_the_card(rt: Runtime, book: ProfileBook, calibrator: Any) -> None:
    card = rt.model("acme/e").card
    assert book.profile(card, "embed").source == "card"
    assert book.measured(card, "embed") == []
    list(calibrator().run(card))
    assert book.profile(card, "embed").source == "measured"
    assert book.profile(card, "embed", "pixels").source == "card"


def test_prices_are_those_of_today(rt: Runtime, store: Any, calibrator: Any, probes: Any, stopwatch: Any) -> None:
    probes["acme/e"].on_infer = lambda requests, context: stopwatch.advance(0.5)
    card = rt.model("acme/e").card
    list(calibrator().run(card))
    for dollars in (3.6, 7.2):
        profile = ProfileBook(store, Prices({"cpu": dollars}), MACHINE).profile(card, "embed")
        assert profile.cost_per_1k() == pytest.approx(1000 * 0.5 * 2 * dollars / 3600)


def test_quality_is_of_the_sample_asked_for_or_the_newest(rt: Runtime, book: ProfileBook) -> None:
    card = rt.model("acme/k").card
    assert book.quality(card, "classify") is None
    for sample, measured in (("s1", "2026-01-01"), ("s2", "2026-03-01")):
        book.store.keep(
            MeasuredQuality(
                model=card.id,
                task="classify",
                weights=revision_of(card),
                sample=sample,
                metric="accuracy",
                value=0.5,
                low=0.4,
                high=0.6,
                count=9,
                measured=measured,
            )
        )
    assert [book.quality(card, "classify", sample).sample for sample in ("s1", None)] == ["s1", "s2"]  # type: ignore[union-attr]
    assert book.quality(card, "classify", "s3") is None


def test_the_book_of_the_settings_has_their_prices(rt: Runtime) -> None:
    with Runtime(config={"prices": {"cpu": 0.5}}) as runtime:
        assert ProfileBook.of(runtime.config, runtime.tasks).prices.own == {"cpu": 0.5}
