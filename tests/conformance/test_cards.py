"""Each built-in card by the kit that plugin authors use, with requests that ask more of it than the contract's probes.

Models are loaded in this process: a child for each would import its libraries again, two minutes over all of them, and
TimesFM's network is made small in this process alone. tests/core/testing checks plugins in children.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from metier.testing import CHECKS, check_plugin
from metier.testing.requests import requests_for

from tests.conformance.built import CARDS, OWN
from tests.conformance.requests import REQUESTS

SLOW = {"smollm2-135m-instruct"}  # a third of a second for each request, and each is made some ten times


@pytest.mark.parametrize("name", CARDS)
def test_a_card_conforms(name: str, tmp_path: Path) -> None:
    card = CARDS[name](tmp_path)
    asked = requests_for(card, REQUESTS)
    if name in SLOW:
        asked = asked[::3]
    assert {request.task for request in asked} == set(card.tasks)
    report = check_plugin(card.plugin, cards=[card], requests=asked, strict=True, isolated=False)
    report.raise_for_failures()
    passed = {result.check for result in report.results if result.status == "passed"}
    assert {check.id for check in CHECKS} - passed == (set() if card.thread_safe else {"thread-safety"})


def test_each_plugin_has_a_card() -> None:
    assert {OWN[name].plugin for name in CARDS if name in OWN} == {card.plugin for card in OWN.values()}
