from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from metier import Runtime
from metier.plugins import PluginHost
from metier_contracts import (
    Classify,
    ModelLoadError,
    Placement,
    PluginQuarantinedError,
    PluginUnavailableError,
    WeightsError,
)

REQUEST = Classify(text="good good bad", labels=["good", "bad"])
HOOK = "\nfrom metier_contracts import hookimpl\n@hookimpl\ndef metier_load(card, placement):\n    "

BROKEN_CODE = {
    "raises": ("raise RuntimeError('no luck')", "RuntimeError: no luck", "pip install --upgrade metier-broken"),
    "raises a BaseException": (
        "class Panic(BaseException): pass\nraise Panic('rust')",
        "Panic: rust",
        "pip install --upgrade metier-broken",
    ),
    "SyntaxError": ("def (", "SyntaxError", "pip install --upgrade metier-broken"),
    "sys.exit": ("import sys; sys.exit(3)", "SystemExit: 3", "pip install --upgrade metier-broken"),
    "missing dependency": (
        "import surely_not_here.sub",
        "missing dependency: surely_not_here",
        "pip install surely_not_here",
    ),
    "its own module is missing": (
        "import metier_broken.nothing",
        "No module named 'metier_broken.nothing'",
        "pip install --upgrade metier-broken",
    ),
    "no plugin module": (None, "No module named 'metier_broken.plugin'", "pip install --upgrade metier-broken"),
    "no hook": ("x = 1", "implements no metier_load", "pip install --upgrade metier-broken"),
    "a hook without its mark": (
        "def metier_load(card, placement): ...",
        "implements no metier_load",
        "pip install --upgrade metier-broken",
    ),
    "a hook with a wrong argument": (
        "from metier_contracts import hookimpl\n@hookimpl\ndef metier_load(card, colour): ...",
        "colour",
        "pip install --upgrade metier-broken",
    ),
}


@pytest.mark.parametrize(("code", "cause", "fix"), BROKEN_CODE.values(), ids=BROKEN_CODE.keys())
def test_an_import_that_fails_sets_that_plugin_aside(code: str | None, cause: str, fix: str, plugins: Any) -> None:
    # Cheaper, so that it is the first choice until it is found to be broken.
    plugins.write("broken", plugins.card("broken/a", parameters=1), code=code)
    plugins.write("healthy", plugins.card("healthy/a"))
    with Runtime() as rt:
        assert [(info.card.id, info.state) for info in rt.models()] == [("broken/a", "ready"), ("healthy/a", "ready")]
        texts = []
        for _ in range(2):
            with pytest.raises(PluginQuarantinedError) as caught:
                rt.run(REQUEST, model="broken/a")
            assert cause in str(caught.value.got)
            assert caught.value.hint == fix
            assert caught.value.blame == "plugin 'broken' of metier-broken 1.2.3"
            texts.append(str(caught.value))
        assert texts[0] == texts[1]
        assert rt.run(REQUEST).provenance.model == "healthy/a"  # type: ignore[union-attr]
        states = {info.card.id: (info.state, info.fix) for info in rt.models()}
        assert states == {"broken/a": ("quarantined", fix), "healthy/a": ("ready", "")}


def test_a_choice_that_was_made_before_is_made_anew(plugins: Any) -> None:
    plugins.write("broken", plugins.card("broken/a", parameters=1), code="raise RuntimeError")
    plugins.write("healthy", plugins.card("healthy/a"))
    with Runtime() as rt:
        with pytest.raises(PluginQuarantinedError):
            rt.run(REQUEST)
        assert rt.run(REQUEST).label == "good"


def test_a_missing_dependency_of_a_plugin_with_an_extra(plugins: Any) -> None:
    plugins.write("broken", plugins.card("broken/a"), code="import surely_not_here", extra="all", requires=["json"])
    with Runtime() as rt, pytest.raises(PluginQuarantinedError) as caught:
        rt.run(REQUEST)
    assert caught.value.hint == 'pip install "metier-broken[all]"'


def test_an_interrupted_import_quarantines_nothing(plugins: Any) -> None:
    code = f"import metier_rule_models\nif not metier_rule_models.PROBES: raise KeyboardInterrupt{HOOK}return None"
    plugins.write("acme", plugins.card("acme/a"), code=code)
    host = PluginHost()
    with pytest.raises(KeyboardInterrupt):
        host.load_model(plugins.model_card("acme/a"), Placement())
    record = host.find("acme")
    assert record is not None
    assert record.state == "ready"


def test_nothing_is_imported_before_the_first_load_and_then_once(plugins: Any) -> None:
    counting = "import metier_rule_models\nmetier_rule_models.imports = getattr(metier_rule_models, 'imports', 0) + 1\n"
    plugins.write("acme", plugins.card("acme/a"), plugins.card("acme/b"), code=counting + plugins_code())
    host = PluginHost()
    assert plugins.imported() == []
    for model in ("acme/a", "acme/b"):
        host.load_model(plugins.model_card(model), Placement())
    assert sys.modules["metier_rule_models"].imports == 1


def plugins_code() -> str:
    return f"from metier_rule_models import load{HOOK}return load(card, placement)"


@pytest.mark.parametrize(
    ("body", "got"),
    [
        ("raise RuntimeError('no luck')", "RuntimeError: no luck"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import asyncio; raise asyncio.CancelledError", "CancelledError"),
        ("return None", "NoneType, not a Model: it has no infer, resident_bytes, close"),
        ("import types; return types.SimpleNamespace(infer=1, close=1)", "not a Model: it has no resident_bytes"),
    ],
)
def test_a_load_that_fails_blames_the_model_and_leaves_the_plugin(body: str, got: str, plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/a"), code=HOOK + body)
    host = PluginHost()
    with pytest.raises(ModelLoadError, match="'acme/a' could not be loaded") as caught:
        host.load_model(plugins.model_card("acme/a"), Placement())
    assert got in str(caught.value.got)
    assert caught.value.blame == "plugin 'acme' of metier-acme 1.2.3"
    assert caught.value.hint == "`metier doctor` checks the plugin"
    assert host.find("acme").state == "ready"  # type: ignore[union-attr]


def test_weights_that_may_be_damaged_can_be_renewed(plugins: Any) -> None:
    plugins.write("acme", code=HOOK + "raise OSError('cut short')")
    with pytest.raises(ModelLoadError, match="'acme/a' could not be loaded") as caught:
        PluginHost().load_model(plugins.model_card("acme/a", source="path:weights"), Placement())
    assert "metier pull acme/a --force" in str(caught.value.hint)


def test_a_load_may_raise_our_errors(plugins: Any) -> None:
    code = HOOK + "from metier_contracts import WeightsError; raise WeightsError('odd weights')"
    plugins.write("acme", plugins.card("acme/a"), code=code)
    with pytest.raises(WeightsError, match="odd weights") as caught:
        PluginHost().load_model(plugins.model_card("acme/a"), Placement())
    assert caught.value.blame == "plugin 'acme' of metier-acme 1.2.3"


def test_a_load_gets_the_card_and_the_placement(plugins: Any) -> None:
    plugins.write(
        "acme",
        code=HOOK + "import types; seen = (card, placement)\n"
        "    return types.SimpleNamespace(infer=1, resident_bytes=1, close=1, seen=seen)",
    )
    card, placement = plugins.model_card("acme/a"), Placement("cpu", allow_pickle=True)
    model: Any = PluginHost().load_model(card, placement)
    assert model.seen == (card, placement)


def test_a_card_whose_plugin_is_not_installed(plugins: Any) -> None:
    plugins.write("acme")
    with pytest.raises(PluginUnavailableError, match="no plugin 'gone' is installed") as caught:
        PluginHost().load_model(plugins.model_card("gone/a", plugin="gone"), Placement())
    assert "metier doctor" in str(caught.value.hint)


def test_a_plugin_whose_extra_is_missing_is_not_imported(plugins: Any) -> None:
    plugins.write("acme", extra="acme", requires=["surely_not_here"])
    with pytest.raises(PluginUnavailableError) as caught:
        PluginHost().load_model(plugins.model_card("acme/a"), Placement())
    assert caught.value.hint == 'pip install "metier-acme[acme]"'
    assert plugins.imported() == []


def test_a_card_goes_to_its_own_plugin_alone(plugins: Any, rules: Any, together: Callable[..., list[Any]]) -> None:
    """However many plugins are imported at the same moment."""
    names = [f"p{number}" for number in range(8)]
    for name in names:
        body = f"assert card.plugin == {name!r}, card.plugin\n    return load(card, placement)"
        plugins.write(name, code=f"from metier_rule_models import load{HOOK}{body}")
    host = PluginHost()
    cards = [plugins.model_card(f"{name}/a", plugin=name) for name in names for _ in range(2)]
    models = together([lambda card=card: host.load_model(card, Placement()) for card in cards])
    assert [getattr(model, "card", model) for model in models] == cards
    assert all(rules.PROBES[card.id].loads == 2 for card in cards)


def test_two_hosts_import_a_plugin_once_each_has_its_own_state(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/a"))
    first, second = PluginHost(), PluginHost()
    for host in (first, second):
        host.load_model(plugins.model_card("acme/a"), Placement())
    assert first.records == second.records
