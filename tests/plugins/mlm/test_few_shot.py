from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from metier_contracts import CallContext, Classify, ExampleSet, InputError
from metier_mlm.few_shot import FewShot

EXAMPLES = ExampleSet.from_pairs([("good", "a"), ("bad", "b"), ("better", "a"), ("worse", "b")])


@pytest.fixture(scope="module")
def answers(encoder: Any, short_opinions: Sequence[tuple[str, str]], held_out: Sequence[tuple[str, str]]) -> Any:
    examples = ExampleSet.from_pairs(short_opinions)
    return encoder.infer([Classify(text=text, examples=examples) for text, _ in held_out], CallContext())


def test_examples_teach(answers: Any, held_out: Sequence[tuple[str, str]]) -> None:
    right = [answer.label == label for answer, (_, label) in zip(answers, held_out, strict=True)]
    assert np.mean(right) >= 0.75


def test_scores_are_probabilities(answers: Any, held_out: Sequence[tuple[str, str]]) -> None:
    for answer in answers:
        assert sum(answer.scores.values()) == pytest.approx(1.0)
    sure = [max(answer.scores.values()) for answer in answers]
    right = [answer.label == label for answer, (_, label) in zip(answers, held_out, strict=True)]
    assert abs(np.mean(sure) - np.mean(right)) < 0.15


def test_a_head_is_learned_once(encoder: Any, context: CallContext, monkeypatch: pytest.MonkeyPatch) -> None:
    from metier_mlm import few_shot

    fitted = []
    fit_head = few_shot.fit_head
    monkeypatch.setattr(few_shot, "fit_head", lambda *args, **named: fitted.append(args) or fit_head(*args, **named))
    examples = ExampleSet.from_pairs([("I love it", "yes"), ("I hate it", "no")])
    same = ExampleSet.from_pairs([("I love it", "yes"), ("I hate it", "no")])
    encoder.infer([Classify(text="fine", examples=examples), Classify(text="awful", examples=same)], context)
    encoder.infer([Classify(text="fine", examples=examples, labels=["no", "yes"])], context)
    assert len(fitted) == 1
    encoder.infer([Classify(text="fine", examples=examples, multi_label=True)], context)
    assert len(fitted) == 2


def test_labels_come_in_the_order_asked_for(encoder: Any, context: CallContext) -> None:
    requests = [Classify(text="fine", examples=EXAMPLES, labels=labels) for labels in (["a", "b"], ["b", "a"])]
    one, other = encoder.infer(requests, context)
    assert (list(one.scores), list(other.scores)) == (["a", "b"], ["b", "a"])
    assert one.scores == pytest.approx(other.scores)


@pytest.mark.parametrize("multi_label", [False, True])
def test_a_label_without_an_example_is_named(encoder: Any, context: CallContext, multi_label: bool) -> None:
    request = Classify(text="fine", examples=EXAMPLES, labels=["a", "b", "none"], multi_label=multi_label)
    neighbour = Classify(text="fine", examples=EXAMPLES)
    answer, good = encoder.infer([request, neighbour], context)
    assert isinstance(answer, InputError)
    assert "'none'" in str(answer)
    assert good.label in {"a", "b"}


def test_examples_of_one_label(encoder: Any, context: CallContext) -> None:
    examples = ExampleSet.from_pairs([("good", "a"), ("fine", "a")])
    certain, unknown = encoder.infer(
        [Classify(text="x", examples=examples, multi_label=multi_label) for multi_label in (False, True)], context
    )
    assert certain.scores == {"a": 1.0}
    assert isinstance(unknown, InputError)


def test_multi_label_examples_repeat_the_text(encoder: Any, context: CallContext) -> None:
    late, rude = ["The parcel is late", "Still waiting for my order"], ["The agent was rude", "Staff shouted at me"]
    both = ["Late again, and the driver was rude"]
    pairs = [(text, "late") for text in late + both] + [(text, "rude") for text in rude + both]
    examples = ExampleSet.from_pairs([*pairs, ("Thank you", "praise"), ("Great service", "praise")])
    answer = encoder.infer([Classify(text=both[0], examples=examples, multi_label=True)], context)[0]
    assert answer.scores["praise"] < min(answer.scores["late"], answer.scores["rude"])


def test_only_the_heads_used_last_are_kept() -> None:
    few_shot = FewShot(c=1.0, size=2)
    texts = ["one", "two", "three"]
    sets = [ExampleSet.from_pairs([(text, "a"), ("other", "b")]) for text in texts]
    for examples in sets:
        few_shot.head(examples, examples.labels, multi_label=False, embed=lambda _: np.eye(2, dtype=np.float32))
    assert few_shot.resident_bytes() == 2 * 2 * (2 + 1) * 4
    few_shot.clear()
    assert few_shot.resident_bytes() == 0
