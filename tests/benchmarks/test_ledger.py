"""The committed ledger follows from its kept answers, and a slice drawn at random is answered as before."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from metier import Runtime
from metier.claims.bench import FULL, work_of
from metier.claims.intervals import paired_difference, ratio_of_sums
from metier.claims.ledger import interval, verdict
from metier.claims.work import Asked, Rule, Work
from metier.cli.bench import LANGUAGE_MODEL, SPECIALISTS

RESULTS = Path(__file__).parents[2] / "docs" / "results"
SLICE = 2
LEDGERS = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("claims-*.json"))]
CLAIMS = {claim["task"]: claim for ledger in LEDGERS for claim in ledger["claims"]}


@pytest.fixture(scope="module")
def works() -> dict[str, Work]:
    """The works as they were judged: with the way of the language model that did best in the trial."""
    whole = {task: work_of(task, LANGUAGE_MODEL, SPECIALISTS[task], FULL) for task in CLAIMS}
    kept = {task: [row["name"] for row in claim["rows"]] for task, claim in CLAIMS.items()}
    return {
        task: replace(work, ways=tuple(way for way in work.ways if way.name in kept[task]))
        for task, work in whole.items()
    }


def test_the_ledger_holds_no_trial_run() -> None:
    assert CLAIMS.keys() <= SPECIALISTS.keys()
    assert CLAIMS["classify"]["items"] >= 500
    assert not any(ledger["quick"] for ledger in LEDGERS)


@pytest.mark.parametrize("task", CLAIMS)
def test_figures_follow_from_the_kept_answers(works: dict[str, Work], task: str) -> None:
    work, claim = works[task], CLAIMS[task]
    parts = [work.metric.of(work.items, row["answers"]) for row in claim["rows"]]
    for row, part in zip(claim["rows"], parts, strict=True):
        assert row["quality"] == pytest.approx(ratio_of_sums(part))
        assert row["interval"] == pytest.approx(vars(interval(work.metric, part)))
    names = [row["name"] for row in claim["rows"]]
    for one in claim["comparisons"]:
        own, other = (parts[names.index(one[key])] for key in ("specialist", "language_model"))
        better, worse = (own, other) if work.metric.higher_is_better else (other, own)
        gain = paired_difference(better, worse)
        assert one["gain_interval"] == pytest.approx(vars(gain))
        assert one["quality"] == verdict(gain)


@pytest.mark.parametrize("task", CLAIMS)
def test_rules_answer_as_before(works: dict[str, Work], task: str) -> None:
    for way, row in zip(works[task].ways, CLAIMS[task]["rows"], strict=True):
        if isinstance(way, Rule):
            assert [way.answer(item) for item in works[task].items] == row["answers"]


@pytest.mark.parametrize("task", CLAIMS)
def test_a_random_slice_is_as_committed(
    works: dict[str, Work], task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METIER_DATA", str(tmp_path))
    chosen = np.random.default_rng(3).choice(len(works[task].items), SLICE, replace=False)
    items = [works[task].items[place] for place in chosen]
    with Runtime() as runtime:
        for way, row in zip(works[task].ways, CLAIMS[task]["rows"], strict=True):
            if not isinstance(way, Asked) or way.fit is not None:
                continue  # what is fitted takes a minute to fit again; a tiny one is below
            responses = list(runtime.map(way.ask(items), model=way.model, on_error="collect", progress=False))
            assert way.read(items, responses) == _as_read([row["answers"][place] for place in chosen])


def _as_read(answers: list[Any]) -> list[Any]:
    """JSON has lists where a fact is a pair."""
    return [
        [tuple(one) if isinstance(one, list) else one for one in answer] if isinstance(answer, list) else answer
        for answer in answers
    ]
