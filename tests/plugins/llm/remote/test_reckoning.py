"""What a remote model is reckoned to cost before it is asked, beside what its server counts."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

import pytest
from metier import Runtime
from metier_contracts import Classification, Classify, ExampleSet, ModelCard, Price
from metier_contracts.probes.texts import passage

from tests.plugins.llm.remote.conftest import Serve
from tests.plugins.llm.remote.dialects import Dialect
from tests.plugins.llm.remote.test_choosing import SAID, labelled
from tests.support.scripted_server import Handler, Reply, answer

FEW = ("billing", "outage", "praise")
MANY = [f"{what} {thing}" for what in ("late", "lost", "broken") for thing in ("bill", "parcel", "router", "card")]
REQUESTS: dict[str, Classify[str]] = {
    "a short text": Classify(text="I was charged twice this month", labels=FEW),
    "a long text and many labels": Classify(text=passage(1250, 1), labels=MANY),
    "short examples": Classify(
        text=passage(250, 2), examples=ExampleSet.from_pairs((passage(20, 3 + at), FEW[at % 3]) for at in range(24))
    ),
    "long examples": Classify(
        text=passage(250, 2), examples=ExampleSet.from_pairs((passage(200, 3 + at), FEW[at % 3]) for at in range(9))
    ),
}
PRICE = Price(per_million_input_tokens=1, per_million_output_tokens=6, source="a test", date="2026-01-31")


def counting(dialect: Dialect, tokenizer: Any, label: str) -> Reply:
    """Answer with a label, and with the tokens of what was sent and of this answer."""

    def reply(handler: Handler) -> None:
        schema, turns, _ = SAID[dialect.loader](handler.asked.body)
        roles = ["system", *(("user", "assistant")[at % 2] for at in range(len(turns) - 1))]
        talk = [{"role": role, "content": text} for role, text in zip(roles, turns, strict=True)]
        prompt = tokenizer.apply_chat_template(talk, add_generation_prompt=True, tokenize=False)
        text = labelled(label)
        read = len(tokenizer.encode(prompt)) + len(tokenizer.encode(json.dumps(schema)))
        answer(dialect.whole(text, used=(read, len(tokenizer.encode(text)) + 1)))(handler)

    return reply


@pytest.mark.parametrize("name", REQUESTS)
def test_classifying_costs_about_what_was_reckoned(
    dialect: Dialect, name: str, cards: dict[str, ModelCard], tokenizer: Any, serve: Serve, stack: ExitStack
) -> None:
    request = REQUESTS[name]
    choices = request.choices
    assert choices is not None
    server = serve(counting(dialect, tokenizer, choices[-1]))
    source = server.address + dialect.base
    for shipped in cards.values():
        if shipped.options.get("loader") == dialect.loader:
            runtime = Runtime(privacy="any", cards=[shipped.replaced(source=source, key_env=None, price=PRICE)])
            stack.enter_context(runtime)
            [reckoned] = [each for each in runtime.decide(request).ranked if each.model == shipped.id]
            found: Classification = runtime.run(request, model=shipped.id)
            assert found.provenance is not None
            assert reckoned.cost_per_1k == pytest.approx(1000 * found.provenance.cost, rel=0.25)
    assert len(server.asked) == 2
