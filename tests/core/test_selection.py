from __future__ import annotations

from typing import Any

import pytest
from metier import Requirements
from metier.catalog import Catalog
from metier.config import Config
from metier.plugins import PluginHost
from metier.selection import Selector
from metier.terms import Terms
from metier_contracts import (
    AmbiguousModelError,
    Classify,
    ExampleSet,
    Forecast,
    Generate,
    InputError,
    ModelCard,
    NoCapableModelError,
    PluginQuarantinedError,
    PluginUnavailableError,
    Rank,
    Series,
    UnknownModelError,
)

REQUEST = Classify(text="x", labels=["a", "b"])
PRICE = {"per_call": 0.01, "source": "the price list", "date": "2026-01-01"}
REMOTE = {"source": "https://example.org/v1", "price": PRICE}


def selector(**settings: Any) -> Selector:
    config = Config(**settings)
    return Selector(Catalog(PluginHost(), {"config": config.cards}), config)


def chosen(request: Any = REQUEST, /, *, model: str | None = None, strict: bool | None = None, **settings: Any) -> str:
    return selector(**settings).choose(request, Terms(model, strict)).card.id


def proposed(labels: Any = "open") -> dict[str, Any]:
    return {"tasks": {"classify": {"labels": labels, "default": True}}}


def test_the_order_of_preference(plugins: Any) -> None:
    plugins.write(
        "acme",
        plugins.card("acme/cheap", parameters=1),
        plugins.card("acme/proposed", parameters=100, **proposed()),
        plugins.card("acme/mine", parameters=1000),
        plugins.card("acme/named", parameters=10_000),
    )
    mine = {"defaults": {"classify": "acme/mine"}}
    assert chosen(model="acme/named", **mine) == "acme/named"
    assert chosen(**mine) == "acme/mine"
    assert chosen() == "acme/proposed"


@pytest.mark.parametrize(
    ("cheap", "dear"),
    [
        ({}, {"price": PRICE}),
        ({"parameters": 5}, {"parameters": 6}),
        ({"parameters": 500, "active_parameters": 5}, {"parameters": 6}),  # a mixture of experts
        ({"bytes": 5}, {"bytes": 6}),
        ({"price": {**PRICE, "per_call": 0.0}, "parameters": 5}, {"parameters": 6}),
    ],
)
def test_without_a_default_the_cheapest_is_taken(cheap: dict[str, Any], dear: dict[str, Any], plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/a", **dear), plugins.card("acme/b", **cheap))
    assert chosen() == "acme/b"


def test_of_equally_cheap_ones_the_first_by_id(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/b"), plugins.card("acme/a"))
    assert chosen() == "acme/a"


def test_only_cards_that_state_what_is_needed_count(plugins: Any) -> None:
    plugins.write(
        "acme",
        plugins.card("acme/two", parameters=1, tasks={"classify": {"labels": ["a", "z"]}}),
        plugins.card("acme/three", parameters=2, tasks={"classify": {"labels": ["a", "b", "c"]}}),
        plugins.card("acme/open", parameters=3, tasks={"classify": {"labels": "open", "few_shot": True}}),
    )
    assert chosen() == "acme/three"
    assert chosen(Classify(text="x")) == "acme/two"  # its own labels will do
    assert chosen(Classify(text="x", examples=ExampleSet.from_pairs([("x", "a")]))) == "acme/open"


def test_a_default_that_cannot_do_it_is_passed_by(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/a"), plugins.card("acme/own", **proposed(["x"])))
    assert chosen(defaults={"classify": "acme/own"}) == "acme/a"


def test_a_default_that_does_not_exist_blames_the_settings(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/a"))
    with pytest.raises(UnknownModelError) as caught:
        chosen(defaults={"classify": "acme/b"})
    assert str(caught.value.blame).startswith("defaults.classify")
    assert "'acme/a'" in str(caught.value.expected)


def test_strict_refuses_to_guess(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/a"), plugins.card("acme/b"))
    for one, strict in ((selector(strict=True), None), (selector(), True)):
        with pytest.raises(AmbiguousModelError, match="2 models serve this classify request") as caught:
            one.choose(REQUEST, Terms(strict=strict))
        assert caught.value.got == "acme/a, acme/b"
        assert 'model="acme/a"' in str(caught.value.hint)
    assert selector(strict=True).choose(REQUEST, Terms(strict=False)).card.id == "acme/a"
    assert chosen(strict=True, model="acme/b") == "acme/b"
    assert chosen(strict=True, defaults={"classify": "acme/b"}) == "acme/b"


def test_strict_takes_the_only_one_and_the_only_default(plugins: Any) -> None:
    plugins.write("one", plugins.card("one/a"))
    assert chosen(strict=True) == "one/a"
    plugins.write("two", plugins.card("two/a", parameters=10_000, **proposed()))
    assert chosen(strict=True) == "two/a"
    plugins.write("three", plugins.card("three/a", **proposed()))
    with pytest.raises(AmbiguousModelError) as caught:
        chosen(strict=True)
    assert caught.value.got == "three/a, two/a"
    assert chosen() == "three/a"


def test_a_model_that_is_not_known(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/minilm"))
    with pytest.raises(UnknownModelError) as caught:
        chosen(model="acme/minlm")
    assert caught.value.expected == "perhaps 'acme/minilm'"


@pytest.mark.parametrize("model", [5, ["acme/a"], {"id": "acme/a"}])
def test_a_model_that_is_no_id(model: Any, plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/a"))
    with pytest.raises(InputError, match="named by its id"):
        chosen(model=model)


def test_a_named_model_that_cannot_do_it(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/own", tasks={"classify": {"labels": ["x"]}}), plugins.card("acme/a"))
    with pytest.raises(NoCapableModelError, match="the model 'acme/own' cannot do what") as caught:
        chosen(model="acme/own")
    assert caught.value.got == "acme/own (labels: needs a, b)"
    assert "labels: a, b" in str(caught.value.expected)
    with pytest.raises(NoCapableModelError) as caught:
        chosen(Rank(query="q", candidates=["a"]), model="acme/a")
    assert caught.value.got == "acme/a (does not serve rank)"


def test_when_no_card_can_do_it_each_lack_is_named(plugins: Any) -> None:
    cards = [plugins.card(f"acme/{i}", tasks={"classify": {"labels": [f"{i}"]}}) for i in range(8)]
    plugins.write("acme", *cards)
    with pytest.raises(NoCapableModelError, match="no model here can do what this classify request needs") as caught:
        chosen(Classify(text="x", labels=["a"], multi_label=True))
    assert str(caught.value.got).startswith("acme/0 (labels: needs a; multi_label: needs yes), acme/1 (")
    assert str(caught.value.got).endswith(", and 2 more")
    with pytest.raises(NoCapableModelError) as caught:
        chosen(Rank(query="q", candidates=["a"]))
    assert caught.value.got == "no card serves rank"


@pytest.mark.parametrize(
    ("settings", "setting", "allowed"),
    [
        ({}, 'privacy="local"', 'privacy = "any"'),
        ({"privacy": "any", "offline": True}, "offline=True", "offline = false"),
    ],
)
def test_a_remote_card_is_refused(settings: dict[str, Any], setting: str, allowed: str, plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/far", **REMOTE))
    with pytest.raises(NoCapableModelError, match=f"remote and {setting} forbids it") as caught:
        chosen(model="acme/far", **settings)
    assert caught.value.got == "https://example.org/v1"
    assert f"set {allowed} in metier.toml" in str(caught.value.hint)
    with pytest.raises(NoCapableModelError) as caught:
        chosen(**settings)
    assert "acme/far (remote" in str(caught.value.got)
    with pytest.raises(NoCapableModelError):
        chosen(defaults={"classify": "acme/far"}, **settings)
    plugins.write("near", plugins.card("near/a", parameters=10**9))
    assert chosen(**settings) == "near/a"


def test_a_remote_card_is_chosen_where_it_may(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/far", **REMOTE), plugins.card("acme/near"))
    assert chosen(privacy="any", model="acme/far") == "acme/far"
    assert chosen(privacy="any") == "acme/near"  # for nothing


def test_a_remote_card_without_a_price_is_not_taken_for_free(plugins: Any) -> None:
    far = plugins.card("acme/far", source=REMOTE["source"], parameters=1)
    plugins.write("acme", far, plugins.card("acme/near", parameters=10**9))
    assert chosen(privacy="any") == "acme/near"


def test_a_plugin_that_lacks_its_extra(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/a"), extra="acme", requires=["surely_not_here"])
    with pytest.raises(PluginUnavailableError) as caught:
        chosen()
    assert caught.value.hint == 'pip install "metier-acme[acme]"'
    assert "surely_not_here" in str(caught.value.got)
    plugins.write("ready", plugins.card("ready/a", parameters=10**9))
    assert chosen() == "ready/a"


def test_a_card_of_a_plugin_that_is_not_installed(plugins: Any) -> None:
    card = plugins.model_card("mine/a", plugin="gone")
    with pytest.raises(PluginUnavailableError, match="no plugin 'gone' is installed"):
        chosen(cards=(card,))


def test_a_card_of_the_users_on_a_plugin_that_is_set_aside(plugins: Any) -> None:
    plugins.write("acme", contract="9.0")
    with pytest.raises(PluginQuarantinedError):
        chosen(cards=(plugins.model_card("mine/a"),))


def test_streaming_is_a_need_like_any_other(plugins: Any) -> None:
    plugins.write(
        "acme", plugins.card("acme/whole", "echo", parameters=1), plugins.card("acme/pieces", "streaming-echo")
    )
    request = Generate(messages="hello")
    assert selector().choose(request).card.id == "acme/whole"
    assert selector().choose(request, stream=True).card.id == "acme/pieces"
    with pytest.raises(NoCapableModelError) as caught:
        selector().choose(request, Terms("acme/whole"), stream=True)
    assert caught.value.got == "acme/whole (stream: needs yes)"


def test_choices_are_remembered_by_need_until_forgotten(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/a"))
    one = selector()
    first = one.choose(REQUEST)
    one.catalog.add("runtime", plugins.model_card("acme/better", parameters=1))
    assert one.choose(Classify(text="another", labels=["a", "b"])) is first
    assert one.choose(Classify(text="another", labels=["c"])).card.id == "acme/better"
    one.forget()
    assert one.choose(REQUEST).card.id == "acme/better"


def test_a_choice_made_while_the_catalog_changes_is_not_remembered(
    plugins: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugins.write("acme", plugins.card("acme/a"))
    one = selector()
    settle = one._settle

    def change_meanwhile(*arguments: Any) -> Any:
        entry = settle(*arguments)
        monkeypatch.undo()
        one.catalog.add("runtime", plugins.model_card("acme/better", parameters=1))
        one.forget()
        return entry

    monkeypatch.setattr(one, "_settle", change_meanwhile)
    assert one.choose(REQUEST).card.id == "acme/a"
    assert one.choose(REQUEST).card.id == "acme/better"


def test_no_more_than_so_many_choices_are_remembered(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/a"))
    one = selector()
    for number in range(1100):
        one.choose(Classify(text="x", labels=[f"label {number}"]))
    assert len(one._chosen) <= 1024


def test_needs_of_a_series(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/f", "last-value"))
    assert chosen(Forecast(series=Series(values=[1.0, 2.0]), horizon=2)) == "acme/f"
    with pytest.raises(NoCapableModelError, match="forecast") as caught:
        chosen(Forecast(series=Series(values=[1.0, float("nan"), 2.0], missing=True), horizon=2))
    assert caught.value.got == "acme/f (missing_values: needs yes)"


class TestRequirements:
    def choose(self, require: Requirements, request: Any = REQUEST, /, **settings: Any) -> str:
        model = settings.pop("model", None)
        return selector(**settings).choose(request, Terms(model, require=require)).card.id

    @pytest.fixture(autouse=True)
    def cards(self, plugins: Any) -> None:
        plugins.write(
            "acme",
            plugins.card("acme/free", parameters=1, licence="MIT"),
            plugins.card("acme/proposed", parameters=10, licence="x", **proposed()),
            plugins.card("acme/mine", parameters=100, licence="x"),
            plugins.card("acme/big", parameters=10_000, bytes=5000, licence="MIT"),
        )

    def test_stand_over_defaults_and_take_the_cheapest_that_meets_them(self) -> None:
        mine = {"defaults": {"classify": "acme/mine"}}
        assert self.choose(Requirements(licence="MIT"), **mine) == "acme/free"
        assert self.choose(Requirements(), **mine) == "acme/free"
        assert self.choose(Requirements(licence="x")) == "acme/proposed"

    def test_the_model_named_must_meet_them_too(self) -> None:
        assert self.choose(Requirements(licence="MIT"), model="acme/big") == "acme/big"
        with pytest.raises(NoCapableModelError, match="'acme/mine' does not meet") as caught:
            self.choose(Requirements(licence="MIT"), model="acme/mine")
        assert caught.value.got == "acme/mine (licence: asked MIT, got x)"

    def test_where_nothing_meets_them_the_error_says_what_would(self) -> None:
        with pytest.raises(NoCapableModelError, match="meets what is required") as caught:
            self.choose(Requirements(memory=3))
        assert caught.value.expected == "memory=3"
        assert "acme/free (memory: asked 3 B, got 4 B, off by 1 B)" in str(caught.value.got)
        assert str(caught.value.hint).startswith("memory: 4 (by 1 B) lets acme/free pass")

    def test_one_whose_extra_is_missing_is_passed_by(self, plugins: Any) -> None:
        plugins.write("big", plugins.card("big/b", parameters=0), requires=["no_such_module"], extra="big")
        assert self.choose(Requirements()) == "acme/free"
        absent = plugins.card("big/only", parameters=0, licence="z")
        with pytest.raises(PluginUnavailableError, match="big"):
            self.choose(Requirements(licence="z"), cards=(ModelCard.from_mapping({"plugin": "big", **absent}),))

    def test_they_never_open_what_the_settings_close(self, plugins: Any) -> None:
        far = ModelCard.from_mapping({"plugin": "acme", **plugins.card("far", licence="z", **REMOTE)})
        required = Requirements(licence="z", privacy=("far",))
        assert self.choose(required, cards=(far,), privacy="any") == "far"
        with pytest.raises(NoCapableModelError, match="meets what is required"):
            self.choose(required, cards=(far,))

    def test_an_ambiguity_is_settled_by_them(self) -> None:
        assert self.choose(Requirements(), strict=True) == "acme/free"

    def test_a_choice_is_remembered_for_sizes_of_one_kind(self) -> None:
        one = selector()
        terms = Terms(require=Requirements(latency_ms=1000))
        first = one.choose(Classify(text="x" * 1000, labels=["a"]), terms)
        one.catalog.serving = None  # type: ignore[method-assign,assignment]
        again = Terms(require=Requirements(latency_ms=1000))
        assert one.choose(Classify(text="y" * 1020, labels=["a"]), again) is first
        with pytest.raises(TypeError):
            one.choose(Classify(text="y" * 2000, labels=["a"]), again)

    def test_a_longer_request_may_need_another_model(self, plugins: Any) -> None:
        plugins.write(
            "two",
            plugins.card("two/slow", parameters=10**9, licence="z"),
            plugins.card("two/far", licence="z", **REMOTE),
        )
        required = Requirements(licence="z", latency_ms=5000)
        short, long = (Classify(text="x" * size, labels=["a"]) for size in (4, 40_000))
        assert self.choose(required, short, privacy="any") == "two/slow"
        assert self.choose(required, long, privacy="any") == "two/far"
