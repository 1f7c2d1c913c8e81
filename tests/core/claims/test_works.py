"""What each kind of work tells a model, and how it judges an answer."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from metier.claims import classifying, forecasting
from metier.claims.bench import QUICK, work_of
from metier.claims.classifying import LabelledText
from metier.claims.extracting import Letter, letters
from metier.claims.forecasting import Held
from metier.claims.relating import KNOWN, packages
from metier.claims.work import Asked, Work
from metier_contracts import Classify, Extract, Forecast, Generate, Generation, GraphScore, InferenceError


def held(kind: str = "QUARTERLY", steps: int = 40) -> Held:
    past = 1000.0 + np.arange(steps) + 50.0 * (np.arange(steps) % 4)
    return Held("a", kind, past, past[:8] + steps)


def way(work: Work, role: str, place: int = 0) -> Asked:
    return [one for one in work.ways if isinstance(one, Asked) and one.role == role][place]


@pytest.fixture
def corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [LabelledText(f"text {place}", ("bad", "fair", "good")[place % 3]) for place in range(200)]
    monkeypatch.setattr(classifying, "labelled_texts", lambda offline: texts)
    monkeypatch.setattr(classifying, "TRAIN", 150)


@pytest.mark.usefixtures("corpus")
def test_both_classify_from_the_same_examples_and_nothing_that_they_are_judged_on() -> None:
    work = work_of("classify", "lm", "small", QUICK)
    language, own = (way(work, role).ask(work.items) for role in ("language model", "specialist"))
    assert language == own
    assert all(isinstance(request, Classify) for request in language)
    given = set(language[0].examples.texts) | {item.text for item in work.trial}  # type: ignore[attr-defined]
    fit = way(work, "specialist", 1).fit
    assert fit is not None
    assert not {item.text for item in work.items} & (given | set(fit.examples.texts))  # type: ignore[attr-defined]
    assert len(given) == 3 * classifying.SHOTS + classifying.TRIAL


def test_letters_of_the_prompt_are_not_judged() -> None:
    work = work_of("extract", "lm", "small", QUICK)
    (request, *_) = way(work, "language model", 1).ask(work.items)
    assert isinstance(request, Generate)
    shown = {message.text for message in request.messages[:-1]}
    assert not shown & {letter.text for letter in [*work.items, *work.trial]}
    assert not {letter.text for letter in work.items} & {letter.text for letter in work.trial}
    assert isinstance(way(work, "specialist").ask(work.items)[0], Extract)


def test_every_marked_fact_stands_in_its_letter() -> None:
    assert all(text in letter.text for letter in letters() for _, text in letter.facts)


def test_a_fact_counts_once_and_without_its_sign() -> None:
    metric = work_of("extract", "lm", "small", QUICK).metric
    letter = Letter("...", frozenset({("MONEY", "$49.99"), ("DATE", "3 March")}))
    assert metric.parts(letter, [("MONEY", "49.99"), ("MONEY", "$49.99")]) == (2.0, 3.0)
    assert metric.parts(letter, [("DATE", "49.99")]) == (0.0, 3.0)
    assert metric.parts(letter, None) == (0.0, 2.0)


def answer(text: str, finish: str = "stop") -> Generation:
    return Generation.from_mapping({"text": text, "finish_reason": finish, "input_tokens": 1, "output_tokens": 1})


def forecasting_work(monkeypatch: pytest.MonkeyPatch) -> Work:
    monkeypatch.setattr(forecasting, "competition", lambda offline: [held() for _ in range(12)])
    return work_of("forecast", "lm", "small", QUICK)


def test_a_prompt_shows_the_newest_values_and_asks_for_as_many_as_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    work = forecasting_work(monkeypatch)
    (request, *_) = way(work, "language model").ask(work.items)
    assert isinstance(request, Generate)
    assert request.json_schema is not None
    assert request.json_schema["minItems"] == request.json_schema["maxItems"] == 8
    numbers = re.findall(r"\d+", request.messages[-1].text.partition(":")[2].partition(".")[0])
    assert len(numbers) == forecasting.SHOWN
    assert float(numbers[-1]) * work.items[0].unit == pytest.approx(work.items[0].past[-1], rel=0.01)
    (own, *_) = way(work, "specialist").ask(work.items)
    assert isinstance(own, Forecast)
    assert (own.horizon, own.series.frequency) == (8, "QS")


def test_numbers_return_to_the_scale_of_the_series(monkeypatch: pytest.MonkeyPatch) -> None:
    work, item = forecasting_work(monkeypatch), held()
    written = json.dumps([round(value / item.unit) for value in item.future])
    read = way(work, "language model").read([item] * 3, [answer(written), answer("[1", "length"), InferenceError("no")])
    assert read[0] == pytest.approx(item.future.tolist(), rel=0.002)
    assert read[1:] == [None, None]


def test_a_failed_forecast_counts_as_the_last_season_again(monkeypatch: pytest.MonkeyPatch) -> None:
    metric, item = forecasting_work(monkeypatch).metric, held()
    assert metric.parts(item, None) == metric.parts(item, item.naive.tolist())
    assert metric.parts(item, item.future.tolist()) == (0.0, 1.0)
    # Four steps up each season; the future stands 40 above its season, the last one 36, then 36 again.
    assert item.step == 4.0
    assert metric.parts(item, item.naive.tolist())[0] == pytest.approx(np.abs(item.naive - item.future).mean() / 4)


def test_nothing_is_told_of_a_package_but_what_is_known_around_it() -> None:
    graph = packages()
    assert graph.known.sum() == KNOWN
    hidden = [section if known else "?" for section, known in zip(graph.sections, graph.known, strict=True)]
    blind = type(graph)(hidden, graph.links, graph.known)
    assert blind.labels == graph.labels
    assert np.array_equal(blind.in_numbers(), graph.in_numbers())
    assert [blind.in_words(node) for node in range(0, 2000, 50)] == [
        graph.in_words(node) for node in range(0, 2000, 50)
    ]


def test_words_and_numbers_say_the_same_of_a_package() -> None:
    graph = packages()
    node = int(graph.links[0, np.flatnonzero(graph.known[graph.links[1]])[0]])
    wanted = graph.around[0][node]
    counts = np.expm1(graph.in_numbers()[node, : len(graph.labels)]).round()
    assert {label: int(count) for label, count in zip(graph.labels, counts, strict=True) if count} == {
        label: wanted.count(label) for label in set(wanted)
    }
    assert f"{wanted[0]} ({wanted.count(wanted[0])})" in graph.in_words(node)


def test_one_request_for_the_graph_answers_for_all_packages() -> None:
    work = work_of("graph-score", "lm", "small", QUICK)
    (request,) = way(work, "specialist").ask(work.items)
    assert isinstance(request, GraphScore)
    assert len(way(work, "language model").ask(work.items)) == len(work.items)
    assert not packages().known[[item.node for item in work.items]].any()
    with pytest.raises(InferenceError):
        way(work, "specialist").read(work.items, [InferenceError("no")])
