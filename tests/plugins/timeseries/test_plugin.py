"""The hook, and the options of cards."""

from __future__ import annotations

from typing import Any

import pytest
from metier_contracts import Classify, ConfigError, Forecast, ModelLoadError, Placement, Series, UnsupportedError
from metier_timeseries.plugin import LOADERS, metier_load


def test_each_card_names_a_loader(cards: Any) -> None:
    assert {card.options["loader"] for card in cards.values()} == set(LOADERS)


def test_an_unknown_loader_is_refused(cards: Any) -> None:
    card = cards["theta"].model_copy(update={"options": {"loader": "prophecy"}})
    with pytest.raises(ConfigError, match="classic, fracast, chronos, timesfm, auto"):
        metier_load(card=card, placement=Placement())


@pytest.mark.parametrize(
    ("name", "options"),
    [("theta", {"method": "prophecy"}), ("theta", {"seasons": 4}), ("theta", {"season": 0}), ("auto", {"power": -1})],
)
def test_bad_options_are_refused(load: Any, name: str, options: Any) -> None:
    with pytest.raises(ConfigError, match=f"options of the card {name}"):
        load(name, options=options)


@pytest.mark.parametrize("name", ["fracast-0", "chronos-2"])
def test_a_folder_without_a_checkpoint_is_refused(load: Any, name: str, tmp_path: Any) -> None:
    with pytest.raises(ModelLoadError, match="no checkpoint"):
        load(name, tmp_path)


def test_a_broken_checkpoint_says_what_was_read(load: Any, tmp_path: Any) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelLoadError, match=str(tmp_path)):
        load("fracast-0", tmp_path)


def test_a_request_of_another_task_fails_alone(load: Any, context: Any) -> None:
    good = Forecast(series=Series(values=range(20)), horizon=2)
    refused, answer = load("theta").infer([Classify(text="a", labels=["b", "c"]), good], context)
    assert isinstance(refused, UnsupportedError)
    assert len(answer.mean) == 2
