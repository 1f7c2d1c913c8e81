"""`metier decide`."""

from __future__ import annotations

from typing import Any

import pytest
from metier.decision.decision import Decision

REMOTE = {"source": "https://api.example.org/v1", "licence": "proprietary"}


@pytest.fixture(autouse=True)
def cards(plugins: Any) -> None:
    plugins.write(
        "acme",
        plugins.card("acme-small", bytes=100),
        plugins.card("acme-own", parameters=10**9, tasks={"classify": {"labels": ["a", "b"]}}),
        plugins.card("acme-far", **REMOTE),
    )


def test_prints_the_choice_the_ranking_and_what_binds_the_others(metier: Any) -> None:
    ran = metier("decide", "classify", "--latency-ms", "50", "--memory", "1GB")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0] == "classify, for 250 characters: acme-small"
    assert any(line.startswith((" acme-small", "acme-small")) and "100 B" in line for line in lines)
    own = next(line for line in lines if "acme-own" in line)
    assert "latency_ms: asked 50 ms" in own
    assert "memory: asked 1.0 GB, got 4.0 GB, off by 3.0 GB" in own
    assert 'settings: privacy = "local", got remote: privacy = "any"' in ran.out


def test_nothing_that_fits_is_a_failure_that_says_what_would_help(metier: Any) -> None:
    ran = metier("decide", "classify", "--memory", "99")
    assert ran.code == 1
    assert ran.out.startswith("classify, for 250 characters: no model meets the requirements")
    change = next(line for line in ran.out.splitlines() if "(by 1 B)" in line)
    assert "100 (by 1 B)" in change
    assert "acme-small" in change


def test_brackets_in_a_name_are_no_markup(plugins: Any, metier: Any) -> None:
    figure = {"task": "classify", "metric": "accuracy", "value": 0.5, "dataset": "d [test]", "source": "s"}
    plugins.write("two", plugins.card("two-a", quality=[{**figure, "date": "2026-01-01"}]))
    assert "quality: accuracy on d [test]" in metier("decide", "classify").out


def test_json_is_the_record(metier: Any) -> None:
    ran = metier("decide", "classify", "--licence", "commercial, X", "--needs", "labels=open", "--json")
    decision = Decision.from_json(ran.out)
    assert decision.chosen is not None
    assert decision.chosen.model == "acme-small"
    assert decision.requirements.licence == ("commercial", "X")
    assert decision.requirements.needs == {"labels": "open"}
    assert {each.candidate.model for each in decision.rejected} == {"acme-own", "acme-far"}


@pytest.mark.parametrize(
    ("words", "fits"),
    [
        ((), False),
        (("--privacy", "local"), False),
        (("--privacy", "any"), True),
        (("--privacy", "api.example.org"), True),
        (("--privacy", "other, acme-far"), True),
        (("--privacy", "other"), False),
    ],
)
def test_privacy_decides_over_remote_models(words: tuple[str, ...], fits: bool, metier: Any) -> None:
    ran = metier("decide", "classify", "--licence", "proprietary", "--json", *words)
    assert (ran.code == 0) == fits
    assert (Decision.from_json(ran.out).chosen is not None) == fits


def test_needs_are_flags_values_and_numbers(metier: Any) -> None:
    words = ("--needs", "multi_label", "--needs", "labels=a,b", "--needs", "dimensions=5", "--needs", "languages=en")
    needs = Decision.from_json(metier("decide", "classify", *words, "--json").out).requirements.needs
    assert needs == {"multi_label": True, "labels": ("a", "b"), "dimensions": 5, "languages": "en"}


@pytest.mark.parametrize(
    "words",
    [
        ("clasify",),
        ("classify", "--memory", "much"),
        ("classify", "--needs", "wings"),
        ("classify", "--needs", "labels="),
        ("classify", "--device", "tpu"),
        ("classify", "--latency-ms", "fast"),
    ],
    ids=str,
)
def test_bad_usage(words: tuple[str, ...], metier: Any) -> None:
    assert metier("decide", *words).code == 2
