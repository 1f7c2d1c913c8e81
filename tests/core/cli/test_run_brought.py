"""`metier run` of a task that a plugin brings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.core.brought_task import spelling_card, write_speller


@pytest.fixture
def speller(plugins: Any) -> Any:
    write_speller(plugins)
    return plugins


def test_help_lists_it_and_imports_nothing(speller: Any, metier: Any) -> None:
    ran = metier("run", "--help")
    assert ran.code == 0
    assert "spell" in ran.out
    assert "Take a text apart." in ran.out
    assert speller.imported() == []


def test_its_own_help_shows_a_flag_a_field(speller: Any, metier: Any) -> None:
    out = metier("run", "spell", "--help").out
    assert "Take a text apart." in out
    assert "Longer help" not in out
    for flag in ("--text <str>", "--upper", "--most <int>", "--skip", "--order", "--weights", "--picture <path>"):
        assert flag in out
    for told in ("What to take apart.", "One of forward, backward.", "As JSON.", "A picture file.", "--model"):
        assert told in out


def test_flags_make_the_request(speller: Any, metier: Any, tmp_path: Path) -> None:
    file = tmp_path / "x.png"
    Image.new("RGB", (3, 2)).save(file)
    words = ("--text", "ab", "--upper", "--skip", "x", "--skip", "y", "--weights", '{"a": 1}', "--picture", str(file))
    answer = metier("run", "spell", *words, "--json").json
    assert answer["letters"] == [{"letter": "A", "place": 0}, {"letter": "B", "place": 1}]
    assert answer["provenance"]["plugin"] == "speller"


def test_the_answer_is_a_table_and_lines(speller: Any, metier: Any) -> None:
    ran = metier("run", "spell", "--text", "ab")
    assert [line.split() for line in ran.out.splitlines()] == [
        ["letter", "place"],
        ["a", "0"],
        ["b", "1"],
        ["note:", "call", "1"],
    ]
    assert "speller/plain on cpu" in ran.err


def test_a_request_from_a_file_and_from_standard_input(speller: Any, metier: Any, tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    file.write_text('{"text": "a"}')
    assert metier("run", "spell", "--request", str(file), "--json").json["letters"][0]["letter"] == "a"
    assert metier("run", "spell", "--request", "-", "--json", stdin='{"text": "b"}').json["letters"][0]["letter"] == "b"
    assert metier("run", "spell", "--text", "-", "--json", stdin="c").json["letters"][0]["letter"] == "c"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "text"),
        (("--text", ""), "text"),
        (("--text", "a", "--most", "0"), "most"),
        (("--text", "a", "--order", "up"), "order"),
        (("--text", "a", "--weights", "{"), "--weights is no JSON"),
        (("--text", "a", "--picture", "no-such-file.png"), "'no-such-file.png' cannot be read"),
    ],
)
def test_bad_usage(speller: Any, metier: Any, words: tuple[str, ...], told: str) -> None:
    ran = metier("run", "spell", *words)
    assert ran.code == 2
    assert told in ran.err


def test_a_task_nobody_brings(speller: Any, metier: Any) -> None:
    ran = metier("run", "spel", "--text", "a")
    assert ran.code == 2
    assert "perhaps 'spell'" in ran.err
    assert "install the plugin that brings it" in ran.err


def test_a_task_of_a_broken_plugin(plugins: Any, metier: Any) -> None:
    write_speller(plugins, task="raise RuntimeError('broken')")
    ran = metier("run", "spell", "--text", "a")
    assert ran.code == 1
    assert "RuntimeError: broken" in ran.err
    assert metier("run", "--help").code == 0


def test_listing_deciding_and_measuring(plugins: Any, metier: Any) -> None:
    write_speller(plugins, spelling_card(), spelling_card("speller/large", parameters=10**9))
    assert [row["id"] for row in metier("models", "--task", "spell", "--json").json] == [
        "speller/large",
        "speller/plain",
    ]
    profiles = metier("models", "--task", "spell", "--profile", "--json").json
    assert {profile["unit"] for profile in profiles} == {"characters"}
    assert metier("decide", "spell", "--json").json["chosen"]["model"] == "speller/plain"
    [outcome] = metier("calibrate", "speller/plain", "--quick", "--json").json
    assert (outcome["status"], outcome["task"]) == ("measured", "spell")
    assert [one["size"] for one in outcome["profile"]["measurements"]][:3] == [10, 30, 90]


def test_profiles_are_listed_where_the_plugin_that_brings_the_task_is_absent(plugins: Any, metier: Any) -> None:
    plugins.write("other", spelling_card("other/fine"))
    [profile] = metier("models", "--profile", "--json").json
    assert profile["task"] == "spell"


class TestDoctor:
    def test_a_sound_plugin(self, speller: Any, metier: Any) -> None:
        ran = metier("doctor", "--json")
        assert ran.code == 0
        assert ran.json["plugins"][0]["tasks"] == ["spell"]

    def test_a_task_that_does_not_import(self, plugins: Any, metier: Any) -> None:
        write_speller(
            plugins,
            task="raise RuntimeError('broken')",
            code="from metier_contracts import hookimpl\n@hookimpl\ndef metier_load(card, placement): ...\n",
        )
        ran = metier("doctor", "--json")
        assert ran.code == 1
        assert "import of metier_speller.task:SPELL failed with RuntimeError: broken" in ran.json["plugins"][0]["cause"]

    def test_a_card_whose_task_nobody_brings(self, plugins: Any, metier: Any) -> None:
        plugins.write("other", spelling_card("other/fine"), plugins.card("other/k"))
        ran = metier("doctor")
        assert ran.code == 0
        assert "other/fine serves spell, which no plugin here brings" in ran.out

    def test_settings_that_name_a_task_nobody_brings(self, plugins: Any, metier: Any, settings_file: Any) -> None:
        settings_file({"defaults": {"spell": "speller/plain"}})
        assert metier("doctor", "--config").code == 1
        write_speller(plugins)
        assert metier("doctor", "--config").code == 0
