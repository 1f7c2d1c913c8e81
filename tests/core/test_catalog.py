from __future__ import annotations

from typing import Any

import pytest
from metier.catalog import Catalog, check_id
from metier.plugins import PluginHost
from metier_contracts import (
    InputError,
    UnknownModelError,
    UnknownTaskError,
)


def make(**cards: Any) -> Catalog:
    return Catalog(PluginHost(), cards)  # type: ignore[arg-type]


def test_entries_come_by_id_from_every_origin(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/b"), plugins.card("acme/a"))
    catalog = make(
        fitted=[plugins.model_card("mine/fitted")],
        config=[plugins.model_card("mine/config", plugin="gone")],
        runtime=[plugins.model_card("a/runtime")],
    )
    rows = [(entry.card.id, entry.origin, entry.ready) for entry in catalog.entries]
    assert rows == [
        ("a/runtime", "runtime", True),
        ("acme/a", "plugin", True),
        ("acme/b", "plugin", True),
        ("mine/config", "config", False),
        ("mine/fitted", "fitted", True),
    ]
    assert "acme/a" in catalog
    assert "acme/c" not in catalog


def test_a_nearer_card_stands_over_a_farther_one(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/a", summary="plugin"))
    origins = ["fitted", "config", "runtime"]
    for count in range(len(origins) + 1):
        cards = {name: [plugins.model_card("acme/a", summary=name)] for name in origins[:count]}
        entry = make(**cards).get("acme/a")
        nearest = (["plugin", *origins])[count]
        assert (entry.origin, entry.card.summary) == (nearest, nearest)


def test_an_unknown_id_is_answered_by_the_nearest(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/minilm"), plugins.card("acme/other"))
    with pytest.raises(UnknownModelError, match="no model has the id 'acme/mini-lm'") as caught:
        make().get("acme/mini-lm")
    assert str(caught.value.expected).startswith("perhaps 'acme/minilm'")
    with pytest.raises(UnknownModelError) as caught:
        make().get("0")
    assert caught.value.expected == "one of those in `metier models`"
    assert caught.value.hint == "`metier models` lists all ids"
    plugins.write("torn", manifest=b"name = ")
    with pytest.raises(UnknownModelError) as caught:
        make().get("torn/a")
    assert "those of torn are not known, `metier doctor` says why" in str(caught.value.hint)


@pytest.mark.parametrize("model", [3, None, ["acme/a"], b"acme/a"])
def test_an_id_is_a_str(model: Any, plugins: Any) -> None:
    for ask in (check_id, make().get):
        with pytest.raises(InputError, match="named by its id") as caught:
            ask(model)
        assert type(model).__name__ in str(caught.value.got)


@pytest.mark.parametrize(
    ("origin", "shown"),
    [("fitted", "the fitted models on this machine"), ("config", "metier.toml"), ("runtime", "Runtime(cards=...)")],
)
def test_a_card_of_the_users_for_what_is_no_task_names_the_card(origin: str, shown: str, plugins: Any) -> None:
    with pytest.raises(UnknownTaskError, match="no task is named 'clasify'") as caught:
        make(**{origin: [plugins.model_card("mine/a", tasks={"clasify": {}})]})
    assert "'mine/a'" in str(caught.value.blame)
    assert shown in str(caught.value.blame)
    assert str(caught.value.expected).startswith("perhaps 'classify'")


def test_a_plugin_may_know_more_tasks_than_we_do(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/a", tasks={"sing": {}, "classify": {"labels": "open"}}))
    assert [entry.card.id for entry in make().serving("sing")] == ["acme/a"]


def test_serving(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/b"), plugins.card("acme/e", "histogram"), plugins.card("acme/a"))
    assert [entry.card.id for entry in make().serving("classify")] == ["acme/a", "acme/b"]
    assert make().serving("rank") == []
