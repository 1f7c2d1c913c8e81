"""`metier bench claims`, on work of a few words that rule models do."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from metier.claims import bench
from metier.claims.work import Asked, Metric, Rule, Scale, Work, each, is_right
from metier_contracts import Classify, ClassifyFit, ExampleSet

ITEMS = [
    SimpleNamespace(text=text, label=label)
    for text, label in (("an outage", "outage"), ("my billing", "billing"), ("billing again", "billing"))
]
LABELS = ("outage", "billing")


def work_of(task: str, language_model: str, specialist: str, scale: Scale, *, offline: bool = False) -> Work:
    """Three texts for two models and a rule; the specialist is fitted first."""
    few = ExampleSet.from_pairs([("no signal: outage", "outage"), ("a bill: billing", "billing")])
    read = each(lambda _, response: response.label)

    def ask(items: Any) -> list[Classify]:
        return [Classify(text=item.text, labels=LABELS) for item in items]

    def first(items: Any) -> list[Classify]:
        return [Classify(text="outage", labels=LABELS) for _ in items]

    fit = ClassifyFit(id="claims/words", base=specialist, examples=few)
    return Work(
        task=task,
        title="Letters",
        data="Three letters.",
        metric=Metric("accuracy", higher_is_better=True, parts=is_right, is_share=True),
        items=ITEMS,
        ways=(
            Asked("lm", "language model", language_model, "labels", ask, read),
            Asked("lm, first label", "language model", language_model, "labels", first, read),
            Asked("fitted", "specialist", "claims/words", "2 texts", ask, read, fit),
            Rule("always billing", "nothing", lambda _: "billing"),
        ),
        timed=2,
        trial=ITEMS[1:],
    )


@pytest.fixture
def acme(plugins: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    plugins.write("acme", plugins.card("acme-lm"), plugins.card("acme-fits", "fittable"))
    monkeypatch.setattr(bench, "work_of", work_of)
    return plugins


WORDS = ("bench", "claims", "--language-model", "acme-lm", "--task", "classify", "--specialist", "classify=acme-fits")


def test_the_ledger_holds_each_way_with_its_answers(acme: Any, metier: Any) -> None:
    ledger = metier(*WORDS, "--json").json
    (claim,) = ledger["claims"]
    assert [row["role"] for row in claim["rows"]] == ["language model", "specialist", "baseline"]
    assert [(trial["name"], trial["quality"]) for trial in claim["trials"]] == [("lm", 1.0), ("lm, first label", 0.0)]
    assert claim["rows"][0]["answers"] == ["outage", "billing", "billing"]
    assert claim["rows"][2]["quality"] == pytest.approx(2 / 3)
    assert claim["rows"][1]["fit_seconds"] > 0
    assert all(len(claim["rows"][place]["one_by_one"]) == claim["rounds"] == 3 for place in (0, 1))
    assert (claim["items"], claim["timed"]) == (3, 2)
    (one,) = claim["comparisons"]
    assert one["cheaper"] == pytest.approx(one["quicker"])  # both ran on the same device


def test_people_get_tables_and_a_quick_trial_says_that_it_is_one(acme: Any, metier: Any) -> None:
    ran = metier(*WORDS, "--quick")
    assert ran.code == 0
    for words in (
        "Letters (3 items in 3 rounds)",
        "always billing",
        "fitted beside lm",
        "too few to conclude",
    ):
        assert words in ran.out


def test_prices_of_the_user_count(acme: Any, metier: Any, settings_file: Any) -> None:
    settings_file({"prices": {"cpu": 0.0}})
    (claim,) = metier(*WORDS, "--quick", "--json").json["claims"]
    assert claim["rows"][0]["dollars"] == 0.0


def test_a_model_that_is_not_there_is_told_at_once(acme: Any, metier: Any) -> None:
    ran = metier("bench", "claims", "--language-model", "acme-l", "--task", "classify")
    assert ran.code == 2
    assert "'acme-lm'" in ran.err


def test_out_writes_the_same_ledger(acme: Any, metier: Any, tmp_path: Path) -> None:
    file = tmp_path / "claims.json"
    ran = metier(*WORDS, "--quick", "--json", "--out", str(file))
    assert json.loads(file.read_text(encoding="utf-8")) == ran.json


def test_a_ledger_that_cannot_be_written_is_printed_before_the_error(acme: Any, metier: Any) -> None:
    ran = metier(*WORDS, "--quick", "--json", "--out", "no/such/folder.json")
    assert ran.code == 1
    assert ran.json["quick"]
    assert "no/such/folder.json cannot be written" in ran.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--task", "embed"), "classify, extract, forecast, graph-score"),
        (("--specialist", "acme-fits"), "TASK=ID"),
        (("--privacy", "none"), "local or any"),
    ],
)
def test_bad_usage_says_what_is_wrong(acme: Any, metier: Any, words: tuple[str, ...], message: str) -> None:
    ran = metier(*WORDS, *words)
    assert ran.code == 2
    assert message in ran.err
