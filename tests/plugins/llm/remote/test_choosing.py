"""classify by models behind three protocols: what they are asked, and what becomes of their answers."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from metier import Requirements, Runtime
from metier_contracts import (
    BudgetExceededError,
    Classification,
    Classify,
    ExampleSet,
    Image,
    InferenceError,
    MetierError,
    UnsupportedError,
)

from tests.plugins.llm.remote.conftest import CHOOSES, ID, Reach, Serve
from tests.plugins.llm.remote.dialects import READ, WRITTEN, Anthropic, Dialect, Gemini, OpenAI
from tests.support.scripted_server import answer

LABELS = ("bill", "billing, late", "pr\u00e4ise")
REQUEST: Classify[str] = Classify(text="Twice!", labels=LABELS)
BY_TOKEN = {"per_million_input_tokens": 1e6, "per_million_output_tokens": 2e6, "source": "a test", "date": "2026-01-31"}
LIMITED = {"price": BY_TOKEN}
PLAIN = {"tasks": {"classify": CHOOSES}}


def labelled(label: object) -> str:
    return json.dumps({"label": label})


@pytest.mark.parametrize("label", LABELS)
def test_a_label(dialect: Dialect, label: str, serve: Serve, reach: Reach) -> None:
    runtime = reach(dialect, serve(answer(dialect.whole(labelled(label)))), fields=LIMITED)
    with runtime.metered() as meter:
        found = runtime.run(REQUEST, model=ID)
    assert found.label == label
    assert found.scores == {each: float(each == label) for each in LABELS}
    assert (found.input_tokens, found.output_tokens) == (READ, WRITTEN)
    assert found.provenance is not None
    assert found.provenance.cost == meter.usage.cost == READ + 2 * WRITTEN
    assert (meter.usage.input_tokens, meter.usage.output_tokens) == (READ, WRITTEN)


@pytest.mark.parametrize(
    ("chosen", "label"), [([], LABELS[0]), ([LABELS[2]], LABELS[2]), ([LABELS[1], LABELS[2]], LABELS[1])]
)
def test_several_labels(dialect: Dialect, chosen: list[str], label: str, serve: Serve, reach: Reach) -> None:
    runtime = reach(dialect, serve(answer(dialect.whole(json.dumps({"labels": chosen})))))
    found = runtime.run(REQUEST.replaced(multi_label=True), model=ID)
    assert found.label == label
    assert list(found.above()) == chosen


def test_a_server_that_counts_no_tokens(dialect: Dialect, serve: Serve, reach: Reach) -> None:
    runtime = reach(dialect, serve(answer(dialect.whole(labelled("bill"), used=None))))
    found = runtime.run(REQUEST, model=ID)
    assert (found.input_tokens, found.output_tokens) == (None, None)


def test_what_is_asked(dialect: Dialect, serve: Serve, reach: Reach) -> None:
    server = serve(answer(dialect.whole(labelled("bill"))))
    examples = ExampleSet.from_pairs([("Again?", "billing, late"), ("Thanks", "pr\u00e4ise")])
    reach(dialect, server).run(Classify(text="Twice!", labels=LABELS, examples=examples), model=ID)
    body = server.asked[0].body
    schema, turns, most = SAID[dialect.loader](body)
    assert schema == {
        "type": "object",
        "properties": {"label": {"type": "string", "enum": list(LABELS)}},
        "required": ["label"],
        "additionalProperties": False,
    }
    assert [json.loads(text) if text.startswith("{") else text for text in turns[1:]] == [
        "Again?",
        {"label": "billing, late"},
        "Thanks",
        {"label": "pr\u00e4ise"},
        "Twice!",
    ]
    assert json.dumps(list(LABELS), ensure_ascii=False) in turns[0]
    assert most == CHOOSES["output_tokens"]


def said_to_openai(body: Any) -> tuple[Any, list[str], int]:
    turns = [turn["content"] for turn in body["messages"]]
    most = body.get("max_tokens") or body["max_completion_tokens"]
    return body["response_format"]["json_schema"]["schema"], turns, most


def said_to_anthropic(body: Any) -> tuple[Any, list[str], int]:
    turns = [body["system"], *(turn["content"] for turn in body["messages"])]
    return body["output_config"]["format"]["schema"], turns, body["max_tokens"]


def said_to_gemini(body: Any) -> tuple[Any, list[str], int]:
    turns = [turn["parts"][0]["text"] for turn in (body["systemInstruction"], *body["contents"])]
    return body["generationConfig"]["responseJsonSchema"], turns, body["generationConfig"]["maxOutputTokens"]


SAID = {OpenAI.loader: said_to_openai, Anthropic.loader: said_to_anthropic, Gemini.loader: said_to_gemini}


def test_an_image(dialect: Dialect, serve: Serve, reach: Reach) -> None:
    server = serve(answer(dialect.whole(labelled("bill"))))
    image = Image(pixels=np.zeros((1, 1, 3), dtype=np.uint8))
    found = reach(dialect, server).run(Classify(image=image, labels=LABELS), model=ID)
    assert found.label == "bill"
    assert image.model_dump(mode="json")["pixels"] in json.dumps(server.asked[0].body)


@pytest.mark.parametrize("text", ["bill", "{", "[]", labelled("other"), labelled(None), '{"labels": ["bill"]}'])
def test_what_is_none_of_the_labels_fails_alone(dialect: Dialect, text: str, serve: Serve, reach: Reach) -> None:
    server = serve(answer(dialect.whole(text)), answer(dialect.whole(labelled("bill"))))
    runtime = reach(dialect, server, concurrency=1)
    bad, good = runtime.map([REQUEST, REQUEST], model=ID, on_error="collect")
    assert isinstance(bad, InferenceError)
    assert bad.expected is not None
    assert "billing, late" in bad.expected
    assert isinstance(good, Classification)


@pytest.mark.parametrize(("ends", "reason"), [("length", "length"), ("filter", "content_filter")])
def test_an_answer_that_is_cut_off_is_no_label(
    dialect: Dialect, ends: str, reason: str, serve: Serve, reach: Reach
) -> None:
    runtime = reach(dialect, serve(answer(dialect.whole(labelled("bill"), ends=ends))))
    with pytest.raises(InferenceError, match=reason):
        runtime.run(REQUEST, model=ID)


def test_labels_of_the_card(serve: Serve, reach: Reach) -> None:
    table = {"labels": ["yes", "no"], "json_schema": True}
    server = serve(answer(OpenAI().whole(labelled("no"))))
    found = reach(OpenAI(), server, fields={"tasks": {"classify": table}}).run(Classify(text="Well?"), model=ID)
    assert found.scores == {"yes": 0, "no": 1}


def test_a_server_without_schemas_is_asked_for_the_bare_label(serve: Serve, reach: Reach) -> None:
    server = serve(answer(OpenAI().whole("billing, late\n")))
    runtime = reach(OpenAI(), server, fields=PLAIN)
    assert runtime.run(REQUEST, model=ID).label == "billing, late"
    assert "response_format" not in server.asked[0].body
    with pytest.raises(UnsupportedError, match="does not classify"):
        runtime.run(REQUEST.replaced(multi_label=True), model=ID)


def test_what_may_cost_more_than_the_budget_is_not_sent(serve: Serve, reach: Reach) -> None:
    server = serve(answer(OpenAI().whole(labelled("bill"))))
    runtime = reach(OpenAI(), server, fields=LIMITED)
    with pytest.raises(BudgetExceededError, match="past its budget"):
        runtime.run(REQUEST, model=ID, max_cost=500)
    assert server.asked == []
    assert runtime.run(REQUEST, model=ID, max_cost=5000).label == "bill"


def test_what_is_sent_is_within_the_reserved_bytes(dialect: Dialect, serve: Serve, reach: Reach) -> None:
    server = serve(answer(dialect.whole(labelled("x" * 200))))
    labels = [letter * 200 for letter in "xyz"]
    examples = ExampleSet.from_pairs([(f"{label} {number}", label) for label in labels for number in range(30)])
    request: Classify[str] = Classify(text="Twice!", examples=examples)
    reach(dialect, server).run(request, model=ID)
    assert len(json.dumps(server.asked[0].body)) <= 3 * len(request.to_json()) + 1000


def test_without_a_bound_no_budget_lets_it_pass(serve: Serve, reach: Reach) -> None:
    table = {"labels": "open", "json_schema": True}
    runtime = reach(OpenAI(), serve(), fields={**LIMITED, "tasks": {"classify": table}})
    with pytest.raises(BudgetExceededError, match="output_tokens"):
        runtime.run(REQUEST, model=ID, max_cost=5000)


def test_it_is_chosen_only_where_remote_models_may_be(serve: Serve, reach: Reach) -> None:
    runtime = reach(OpenAI(), serve())
    ranked = [candidate.model for candidate in runtime.decide(REQUEST).ranked]
    assert ID in ranked
    local = runtime.decide(REQUEST, Requirements(privacy="local"))
    assert ID not in [candidate.model for candidate in local.ranked]
    with Runtime() as strict, pytest.raises(MetierError, match="privacy"):
        strict.run(REQUEST, model="openai/gpt-5.4-mini")


# What the tokens of an answer tell.


def told(*tokens: tuple[str, float, dict[str, float]]) -> dict[str, Any]:
    """An answer of these tokens, each with its probability and those of others in its place."""
    reply = OpenAI().whole("".join(text for text, _, _ in tokens))
    reply["choices"][0]["logprobs"] = {
        "content": [
            {
                "token": text,
                "logprob": math.log(chance),
                "bytes": None,
                "top_logprobs": [
                    {"token": other, "logprob": math.log(weight), "bytes": None}
                    for other, weight in {text: chance, **others}.items()
                ],
            }
            for text, chance, others in tokens
        ]
    }
    return reply


START = ('{"label": ', 1.0, {})


@pytest.mark.parametrize(
    ("tokens", "scores"),
    [
        # Each other token goes on to one label.
        (
            [START, ('"', 1, {}), ("bill", 0.6, {"pr": 0.3, "bil": 0.05}), ('"', 1, {}), ("}", 1, {})],
            (0.625, 0.025, 0.3),
        ),
        # The first is common to two, and the next parts them.
        ([START, ('"bill', 0.8, {'"pr': 0.2}), ('"', 0.75, {"ing": 0.25}), ("}", 1, {})], (0.6, 0.2, 0.2)),
        # What no label goes on with, or what stands before the label, counts for none.
        ([('{"label":', 0.5, {"x": 0.5}), (' "bill', 0.5, {"no": 0.3, ' "bo': 0.2}), ('"}', 1, {})], (1, 0, 0)),
    ],
)
def test_scores_are_the_likelihoods_that_the_server_tells(
    tokens: list[Any], scores: tuple[float, ...], serve: Serve, reach: Reach
) -> None:
    total = sum(scores)
    server = serve(answer(told(*tokens)))
    found = reach(OpenAI(), server, top_logprobs=5).run(REQUEST, model=ID)
    assert found.scores == pytest.approx(dict(zip(LABELS, (score / total for score in scores), strict=True)))
    assert (server.asked[0].body["logprobs"], server.asked[0].body["top_logprobs"]) == (True, 5)


def test_the_likelier_label_stands_over_the_one_that_was_written(serve: Serve, reach: Reach) -> None:
    tokens = [START, ('"bill', 0.6, {'"pr': 0.4}), ('"', 0.5, {"ing": 0.5}), ("}", 1, {})]
    found = reach(OpenAI(), serve(answer(told(*tokens))), top_logprobs=5).run(REQUEST, model=ID)
    assert found.label == "pr\u00e4ise"


def test_likelihoods_of_a_bare_label(serve: Serve, reach: Reach) -> None:
    tokens = [("bill", 0.5, {"pr": 0.25, "Bill": 0.25}), ("ing, late", 0.5, {"s": 0.5})]
    found = reach(OpenAI(), serve(answer(told(*tokens))), top_logprobs=5, fields=PLAIN).run(REQUEST, model=ID)
    # "bills" begins with a label, and only that one.
    assert found.scores == pytest.approx(dict(zip(LABELS, (1 / 3, 1 / 3, 1 / 3), strict=True)))


@pytest.mark.parametrize("spoilt", ["nothing", "other tokens"])
def test_where_tokens_tell_nothing_the_label_has_all(spoilt: str, serve: Serve, reach: Reach) -> None:
    reply = told(START, ('"bill"', 0.5, {'"pr': 0.5}), ("}", 1.0, {}))
    choice = reply["choices"][0]
    if spoilt == "nothing":
        choice["logprobs"] = None
    else:
        choice["logprobs"]["content"] = choice["logprobs"]["content"][:1]
    found = reach(OpenAI(), serve(answer(reply)), top_logprobs=5).run(REQUEST, model=ID)
    assert found.scores == {"bill": 1, "billing, late": 0, "pr\u00e4ise": 0}


def test_likelihoods_are_not_asked_for_elsewhere(dialect: Dialect, serve: Serve, reach: Reach) -> None:
    server = serve(answer(dialect.whole(labelled("bill"))))
    reach(dialect, server).run(REQUEST, model=ID)
    assert "logprobs" not in json.dumps(server.asked[0].body).lower()
