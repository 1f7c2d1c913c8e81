"""Labels are scored by their likelihood as the model's answer."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from metier import Runtime
from metier_contracts import CallContext, Classify, ExampleSet, InputError, Message, ModelCard, UnsupportedError
from metier_llm.conversation import ChatTemplate
from metier_llm.network import Network
from metier_llm.scoring import Scorer, common

MODEL = "smollm2-135m-instruct"
LABELS = ["billing", "outage", "praise"]
EXAMPLES = ExampleSet.from_pairs(
    [("I was charged twice", "billing"), ("No signal since noon", "outage"), ("Thanks, great service", "praise")]
)


@torch.inference_mode()
def alone(module: Any, prompt: list[int], answer: list[int]) -> float:
    logits = module(torch.tensor([prompt + answer]), use_cache=False).logits[0].float().log_softmax(-1)
    return float(sum(logits[len(prompt) - 1 + place, token] for place, token in enumerate(answer)))


def test_likelihoods_are_those_of_the_whole_sequence(module: Any) -> None:
    scorer = Scorer(Network(module), chunk=4)
    beginning = [5, 9, 200, 31, 7, 7, 8]
    answers = [[1], [4, 5, 6], [4, 9], *([place, place + 1] for place in range(20, 40))]
    for prompt in ([11, 12], [13], [11, 12]):
        scores = scorer.log_likelihoods(beginning, prompt, answers, CallContext())
        expected = [alone(module, beginning + prompt, answer) for answer in answers]
        assert scores == pytest.approx(expected, abs=1e-3)


def test_a_beginning_is_read_once(llama: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(llama)
    read: list[int] = []
    forward = network.next_logits
    monkeypatch.setattr(
        network, "next_logits", lambda rows, cache: (read.append(len(rows[0])), forward(rows, cache))[1]
    )
    scorer = Scorer(network, chunk=256)
    for prompt in ([1, 2], [3], [1, 2]):
        scorer.log_likelihoods([*range(50)], prompt, [[4]], CallContext())
    assert read == [50, 2, 1, 2]
    assert scorer.nbytes() > 0
    for first in range(60, 70):
        scorer.log_likelihoods([first], [1], [[4]], CallContext())
    assert len(scorer._kept) == 4
    scorer.close()
    assert scorer.nbytes() == 0


@pytest.mark.parametrize(("one", "other", "length"), [([], [1], 0), ([1, 2], [1, 3], 1), ([1, 2], [1, 2, 3], 2)])
def test_common_beginnings(one: list[int], other: list[int], length: int) -> None:
    assert common(one, other) == common(other, one) == length


@pytest.fixture(scope="module")
def runtime() -> Any:
    with Runtime() as runtime:
        yield runtime


PLAIN = {
    "You people are wonderful": "praise",
    "Thank you, the technician was great": "praise",
    "Best service ever": "praise",
    "I was charged twice for the same order": "billing",
    "Why is my bill so high this month?": "billing",
    "Please refund the second payment": "billing",
    "My phone has no network since yesterday": "outage",
    "The internet is down again": "outage",
    "No signal since noon": "outage",
}


def test_the_trained_model_knows_most_plain_cases(runtime: Runtime) -> None:
    answers = list(runtime.map([Classify(text=text, labels=LABELS) for text in PLAIN], model=MODEL))
    right = sum(answer.label == label for answer, label in zip(answers, PLAIN.values(), strict=True))
    assert right >= 6  # of 9; by chance 6 come in one of 24 such sets
    assert all(sum(answer.scores.values()) == pytest.approx(1) for answer in answers)


def test_scores_are_calibrated_by_a_text_that_says_nothing(runtime: Runtime) -> None:
    scores = runtime.run(Classify(text="N/A", labels=LABELS), model=MODEL).scores
    assert list(scores.values()) == pytest.approx([1 / 3] * 3, abs=1e-3)


def test_examples_are_earlier_turns(runtime: Runtime, tokenizer: Any, smollm2_card: ModelCard) -> None:
    request = Classify(text="My bill is wrong", examples=EXAMPLES)
    scores = runtime.run(request, model=MODEL).scores
    assert set(scores) == {"billing", "outage", "praise"}
    assert scores != runtime.run(Classify(text="My bill is wrong", labels=LABELS), model=MODEL).scores
    turns = [Message(role="user", content="I was charged twice"), Message(role="assistant", content="billing")]
    written = tokenizer.decode(ChatTemplate(tokenizer).encode(turns))
    assert "<|im_start|>user\nI was charged twice<|im_end|>\n<|im_start|>assistant\nbilling<|im_end|>" in written


def test_too_much_to_read_is_refused(runtime: Runtime) -> None:
    with pytest.raises(InputError, match="longer than the model reads") as caught:
        runtime.run(Classify(text="word " * 9000, labels=LABELS), model=MODEL)
    assert "8192 tokens" in str(caught.value)


def test_labels_that_stand_for_themselves_are_not_served(runtime: Runtime) -> None:
    with pytest.raises((UnsupportedError, Exception), match="multi_label"):
        runtime.run(Classify(text="x", labels=LABELS, multi_label=True), model=MODEL)
