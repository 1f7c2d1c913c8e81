from __future__ import annotations

from typing import Any

import pytest
from metier.catalog import Catalog
from metier.config import Config
from metier.fitted import fitting_folder, keep
from metier.fitting import base_of, check_drafted, check_new_id
from metier.plugins import PluginHost
from metier.selection import Selector
from metier_contracts import (
    ClassifyFit,
    ContractViolation,
    ExampleSet,
    InputError,
    NoCapableModelError,
    UnknownModelError,
    UnsupportedError,
)

EXAMPLES = ExampleSet.from_pairs([("good", "praise"), ("bad", "blame"), ("fine", "praise")])
REMOTE = {"source": "https://example.org/v1", "fits": ["classify"], "tasks": {"classify": {"labels": "open"}}}


def request_of(**fields: Any) -> ClassifyFit:
    return ClassifyFit(id="mine/a", examples=EXAMPLES, **fields)


def selector(**settings: Any) -> Selector:
    config = Config(**settings)
    return Selector(Catalog(PluginHost(), {}), config)


def base(request: Any, **settings: Any) -> str:
    chooser = selector(**settings)
    return base_of(request, chooser.catalog, chooser).card.id


def test_the_base_is_the_one_named_else_the_default_among_those_that_can(plugins: Any) -> None:
    able = {"labels": "open"}
    plugins.write(
        "acme",
        plugins.card("acme/a", "fittable", tasks={"classify": able}),
        plugins.card("acme/b", "fittable", tasks={"classify": {**able, "default": True}}),
        plugins.card("acme/c", tasks={"classify": {"labels": "open", "default": True}}),
    )
    assert base(request_of()) == "acme/b"
    assert base(request_of(base="acme/a")) == "acme/a"
    with pytest.raises(UnknownModelError):
        base(request_of(base="acme/z"))


def test_where_nothing_can_be_fitted(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/a"))
    plugins.write("bare", plugins.card("bare/a", "fittable"), extra="x", requires=["surely_not_here"])
    with pytest.raises(UnsupportedError, match="no model here can be fitted for classify") as caught:
        base(request_of())
    assert caught.value.got == "bare/a, which is not ready"
    assert "metier doctor" in str(caught.value.hint)


def test_examples_go_to_no_remote_base_unless_they_may(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/far", "fittable", **REMOTE))
    with pytest.raises(NoCapableModelError, match="remote"):
        base(request_of(base="acme/far"))
    with pytest.raises(UnsupportedError):
        base(request_of())
    assert base(request_of(), privacy="any") == "acme/far"


@pytest.mark.parametrize("thing", ["text", None, EXAMPLES])
def test_what_is_no_fit_request(thing: Any, plugins: Any) -> None:
    with pytest.raises(InputError, match="not a fit request"):
        base(thing)


def test_an_id_that_is_taken(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/a"))
    catalog = selector().catalog
    check_new_id("mine/a", False, catalog)
    for replace in (False, True):
        with pytest.raises(InputError, match="'acme/a' is taken") as caught:
            check_new_id("acme/a", replace, catalog)
        assert caught.value.expected == "a new id"
    with fitting_folder("mine/a") as folder:  # by another runtime: this catalog does not know of it
        keep(folder, plugins.model_card("drafted", "fittable"), request_of(), "acme/a")
    with pytest.raises(InputError, match="'mine/a' is taken") as caught:
        check_new_id("mine/a", False, catalog)
    assert caught.value.expected == "a new id, or replace=True"
    check_new_id("mine/a", True, catalog)


def test_what_a_fit_returns_is_checked(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/a", "fittable"))
    entry = selector().catalog.get("acme/a")
    check_drafted(request_of(), plugins.model_card("any"), entry)
    for drafted, got in (
        (None, "NoneType"),
        ({"id": "mine/a"}, "dict"),
        (plugins.model_card("any", plugin="other"), "one of plugin 'other' that serves classify"),
        (plugins.model_card("any", "histogram"), "one of plugin 'acme' that serves embed"),
    ):
        with pytest.raises(ContractViolation) as caught:
            check_drafted(request_of(), drafted, entry)
        assert caught.value.got == got
        assert caught.value.expected == "a ModelCard of plugin 'acme' that serves classify"
        assert "metier-acme 1.2.3" in str(caught.value.blame)
