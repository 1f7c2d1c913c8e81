"""Tasks by name: the built-in ones, and those that plugins bring."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from metier import Runtime, cache, each, step, task
from metier.config import Config
from metier.plugins import discover
from metier.tasks import Tasks
from metier_contracts import (
    TASKS,
    Classify,
    ConfigError,
    ContractViolation,
    Image,
    InputError,
    PluginQuarantinedError,
    Request,
    Response,
    UnknownTaskError,
)

from tests.core.brought_task import PLUGIN, SCHEMA, TASK, contribution, spelling_card, write_speller


def spell(**fields: Any) -> Any:
    return importlib.import_module("metier_speller.task").Spell(**fields)


@pytest.fixture
def speller(plugins: Any) -> Iterator[Runtime]:
    write_speller(plugins)
    with Runtime() as runtime:
        yield runtime


class TestBuiltIn:
    @pytest.mark.parametrize("name", list(TASKS))
    def test_every_task_is_found_by_name(self, name: str) -> None:
        assert Tasks().get(name) is TASKS[name]

    def test_names(self) -> None:
        assert list(Tasks()) == list(TASKS)
        assert len(Tasks()) == len(TASKS)
        assert "classify" in Tasks()
        assert "spell" not in Tasks()

    def test_of_a_request(self) -> None:
        assert Tasks().of(Classify(text="x", labels=["a"])) is TASKS["classify"]

    @pytest.mark.parametrize("thing", ["text", None, 3, Classify])
    def test_of_what_is_no_request(self, thing: Any) -> None:
        with pytest.raises(InputError, match="not a request") as caught:
            Tasks().of(thing)
        assert "Classify" in str(caught.value.expected)
        assert str(caught.value.got).startswith(type(thing).__name__)
        assert "run(pipeline, value)" in str(caught.value.hint)

    def test_of_a_request_of_a_task_nobody_knows(self) -> None:
        class Sing(Request[Any]):
            task = "sing"

        with pytest.raises(UnknownTaskError, match="'sing'") as caught:
            Tasks().of(Sing())
        assert "Sing" in str(caught.value.blame)
        assert "install the plugin" in str(caught.value.hint)

    def test_of_a_class_that_borrows_a_name(self) -> None:
        class Guess(Request[Any]):
            task = "classify"

        with pytest.raises(InputError, match="not of the class") as caught:
            Tasks().of(Guess())
        assert caught.value.expected == "metier_contracts.tasks.classify.Classify"
        assert str(caught.value.got).endswith("Guess")


class TestBroughtByAPlugin:
    def test_listing_reads_the_manifest_alone(self, plugins: Any) -> None:
        write_speller(plugins, init="raise RuntimeError", task="raise RuntimeError")
        info = next(info for info in Tasks.installed().infos() if info.name == "spell")
        assert info.plugin is not None
        assert (info.help, info.plugin.package, info.json_schema) == ("Take a text apart.", "metier-speller", SCHEMA)
        assert list(Tasks.installed())[-1] == "spell"
        with Runtime() as runtime:
            assert [row.card.id for row in runtime.models()] == ["speller/plain"]

    def test_only_the_module_of_the_task_is_imported(self, plugins: Any) -> None:
        write_speller(plugins, code="raise RuntimeError")
        assert plugins.imported() == []
        assert Tasks.installed().get("spell").name == "spell"
        assert plugins.imported() == ["metier_speller", "metier_speller.task"]

    def test_it_is_imported_once(self, plugins: Any) -> None:
        write_speller(plugins)
        tasks = Tasks.installed()
        assert tasks.get("spell") is tasks.get("spell") is tasks.of(spell(text="ab"))

    def test_versions(self, plugins: Any) -> None:
        write_speller(plugins)
        assert (Tasks.installed().version("spell"), Tasks.installed().version("classify")) == ("1.2.3", "")

    def test_a_plugin_whose_extra_is_missing_still_tells_of_its_task(self, plugins: Any) -> None:
        write_speller(plugins, extra="all", requires=["no_such_library"])
        assert Tasks.installed().get("spell").name == "spell"

    @pytest.mark.parametrize(
        ("code", "cause"),
        [
            ("raise SystemExit(3)", "metier_speller.task:SPELL failed with SystemExit: 3"),
            ("import no_such_library", "missing dependency: no_such_library (imported by metier_speller.task:SPELL)"),
            ("SPELL = 3", "metier_speller.task:SPELL is no Task of metier_contracts, but 3"),
            (TASK.replace('= "spell"', '= "sing"'), "is named 'sing', and in the manifest 'spell'"),
        ],
    )
    def test_a_broken_one_says_why(self, plugins: Any, code: str, cause: str) -> None:
        write_speller(plugins, task=code)
        tasks = Tasks.installed()
        with pytest.raises(PluginQuarantinedError) as caught:
            tasks.get("spell")
        assert cause in str(caught.value.got)
        assert str(caught.value.blame) == "plugin 'speller' of metier-speller 1.2.3"
        assert tasks.probes("spell") == ()

    def test_one_of_a_plugin_set_aside(self, plugins: Any) -> None:
        write_speller(plugins, contract="1.99")
        with pytest.raises(PluginQuarantinedError) as caught:
            Tasks.installed().get("spell")
        assert "wrong contract version" in str(caught.value.got)


class TestConflicts:
    def test_two_plugins_with_one_task(self, plugins: Any) -> None:
        write_speller(plugins)
        plugins.write("zealous", tasks=[contribution()])
        records = {record.name: record for record in discover()}
        assert records["speller"].state == "ready"
        assert records["zealous"].cause == "duplicate task: 'spell' is also in metier-speller 1.2.3"
        assert records["zealous"].fix == "pip uninstall metier-zealous"
        assert Tasks.installed().get("spell").name == "spell"

    def test_the_name_of_a_built_in_one(self, plugins: Any) -> None:
        plugins.write("acme", plugins.card("acme/a"), tasks=[contribution(name="classify")])
        [record] = discover()
        assert record.state == "quarantined"
        assert record.cause.startswith("duplicate task: 'classify' is also in metier ")


class TestAtWork:
    def test_run(self, speller: Runtime) -> None:
        answer = speller.run(spell(text="abc", upper=True))
        assert [one.letter for one in answer.letters] == ["A", "B", "C"]
        assert (answer.provenance.model, answer.provenance.plugin_version) == ("speller/plain", "1.2.3")

    def test_map_in_order(self, speller: Runtime) -> None:
        answers = list(speller.map([spell(text=text) for text in ("a", "bc")], progress=False))
        assert [len(answer.letters) for answer in answers] == [1, 2]

    def test_its_invariants_are_checked(self, plugins: Any) -> None:
        write_speller(plugins, spelling_card(options={"wrong": True}))
        with Runtime() as runtime, pytest.raises(ContractViolation) as caught:
            runtime.run(spell(text="a", upper=True))
        assert caught.value.expected == "letters: 'A'"

    def test_a_card_of_another_plugin_serves_it(self, plugins: Any) -> None:
        write_speller(plugins)
        plugins.write("other", spelling_card("other/fine", parameters=1), code=PLUGIN)
        with Runtime() as runtime:
            assert runtime.run(spell(text="a")).provenance.plugin == "other"

    def test_a_pipeline(self, speller: Runtime) -> None:
        kind = type(spell(text="a"))
        gives: Any = importlib.import_module("metier_speller.task").Spelling

        def ask(text: str) -> Any:
            return kind(text=text)

        def count(spelling: Response) -> int:
            return len(spelling.letters)  # type: ignore[attr-defined]

        ask.__annotations__["return"] = kind
        count.__annotations__["spelling"] = gives
        pipeline: Any = each(task(ask) >> step(count))
        assert speller.run(pipeline, ["ab", "abc"]) == [2, 3]
        assert [call.model for call in speller.plan(pipeline).calls] == ["speller/plain"]
        assert speller.plan(pipeline).calls[0].size == "30 characters"

    def test_cached_answers_are_those_of_the_task_and_its_version(self, plugins: Any) -> None:
        folder = write_speller(plugins)
        request = spell(text="abc")

        def ask(text: str) -> Any:
            return request

        ask.__annotations__["return"] = type(request)
        pipeline: Any = cache(task(ask), disk=True)
        with Runtime() as runtime:
            first = runtime.run(pipeline, "")
        with Runtime() as runtime:
            again = runtime.run(pipeline, "")
            assert (again.letters, again.provenance.cached) == (first.letters, True)
            assert runtime.usage().cached == 1
        info = folder.parent / "metier_speller-1.2.3.dist-info" / "METADATA"
        info.write_text(info.read_text().replace("1.2.3", "1.2.4"))
        with Runtime() as runtime:
            assert runtime.run(pipeline, "").provenance.cached is False

    def test_plan_and_decide(self, speller: Runtime) -> None:
        chosen = [speller.decide(work).chosen for work in ("spell", spell(text="a" * 20))]
        assert [one is not None and one.model for one in chosen] == ["speller/plain"] * 2
        assert speller.plan(spell(text="a" * 20)).calls[0].size == "20 characters"

    def test_json(self, plugins: Any) -> None:
        write_speller(plugins)
        request = spell(text="abc", picture=Image.of(np.full((2, 3, 3), 7, np.uint8)), weights={"a": 1.0})
        assert Tasks.installed().get("spell").request.from_json(request.to_json()) == request


class TestSettings:
    def test_a_default_for_it(self, plugins: Any) -> None:
        write_speller(plugins, spelling_card("speller/a"), spelling_card("speller/b"))
        with Runtime(config={"defaults": {"spell": "speller/b"}}) as runtime:
            assert runtime.run(spell(text="a")).provenance.model == "speller/b"

    def test_a_default_for_what_is_no_task(self, settings_file: Any, plugins: Any) -> None:
        path = settings_file({"defaults": {"spell": "mine/a"}})
        with pytest.raises(ConfigError, match="'spell'") as caught:
            Runtime()
        assert "classify" in str(caught.value.expected)
        assert caught.value.blame == f"defaults in {path}"

    def test_a_card_for_what_is_no_task(self, plugins: Any) -> None:
        mine = {**spelling_card("mine/s"), "plugin": "speller"}
        with pytest.raises(UnknownTaskError, match="'spell'") as caught:
            Runtime(config=Config.from_mapping({"cards": [mine]}))
        assert "the card 'mine/s'" in str(caught.value.blame)
        assert "install the plugin that brings it" in str(caught.value.hint)
        write_speller(plugins)
        with Runtime(config=Config.from_mapping({"cards": [mine]})) as runtime:
            assert runtime.run(spell(text="a"), model="mine/s").letters[0].letter == "a"
