from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from metier_contracts import CallContext, Classify
from metier_mlm.options import EncoderOptions
from metier_mlm.zero_shot import ZeroShot

TOPICS = {
    "The striker scored two goals in the final minutes of the match.": "sports",
    "Fry the onions gently until golden, then add the rice and stock.": "cooking",
    "Mortgage rates rose again this month.": "finance",
    "Heavy rain and strong winds are expected on Sunday.": "weather",
    "The band played their old songs and the crowd sang along.": "music",
    "The doctor prescribed antibiotics for the infection.": "health",
}
LABELS = sorted(set(TOPICS.values()))


def test_topics_are_told_apart(encoder: Any, context: CallContext) -> None:
    answers = encoder.infer([Classify(text=text, labels=LABELS) for text in TOPICS], context)
    assert [answer.label for answer in answers] == list(TOPICS.values())
    for answer in answers:
        assert list(answer.scores) == LABELS
        assert sum(answer.scores.values()) == pytest.approx(1.0)


def test_real_opinions_beat_chance(encoder: Any, context: CallContext, opinions: Sequence[tuple[str, str]]) -> None:
    some = opinions[:120]
    answers = encoder.infer([Classify(text=text, labels=["positive", "negative"]) for text, _ in some], context)
    right = [answer.label == label for answer, (_, label) in zip(answers, some, strict=True)]
    assert np.mean(right) >= 0.6


def test_multi_label_scores_do_not_depend_on_the_other_labels(exact_encoder: Any, context: CallContext) -> None:
    text = next(iter(TOPICS))
    alone, among = exact_encoder.infer(
        [Classify(text=text, labels=labels, multi_label=True) for labels in (["sports"], LABELS)], context
    )
    assert alone.scores["sports"] == pytest.approx(among.scores["sports"], abs=1e-6)
    assert among.label == "sports"


def test_most_texts_pass_the_threshold_for_their_own_label_alone(exact_encoder: Any, context: CallContext) -> None:
    answers = exact_encoder.infer([Classify(text=text, labels=LABELS, multi_label=True) for text in TOPICS], context)
    passed = [answer.above(0.5) for answer in answers]
    # The midpoint is one number for all texts: "sports" is best for its text, and yet just below it.
    assert sum(found == (label,) for found, label in zip(passed, TOPICS.values(), strict=True)) >= 5
    assert all(set(found) <= {label} for found, label in zip(passed, TOPICS.values(), strict=True))


def test_a_text_may_fit_no_label(encoder: Any, context: CallContext) -> None:
    answer = encoder.infer([Classify(text="It was larger than expected.", labels=LABELS, multi_label=True)], context)[0]
    assert max(answer.scores.values()) < 0.5


def test_one_label_is_certain(encoder: Any, context: CallContext) -> None:
    assert encoder.infer([Classify(text="anything", labels=["only"])], context)[0].scores == {"only": 1.0}


def test_labels_may_hold_braces(encoder: Any, context: CallContext) -> None:
    answer = encoder.infer([Classify(text="anything", labels=["{0}", "{label}", "{"])], context)[0]
    assert list(answer.scores) == ["{0}", "{label}", "{"]


def test_labels_are_embedded_once() -> None:
    asked: list[str] = []

    def embed(sentences: Sequence[str]) -> np.ndarray:
        asked.extend(sentences)
        return np.eye(len(sentences), 4, dtype=np.float32)

    zero_shot = ZeroShot(EncoderOptions(loader="sentence-encoder", template="{label}!", cached_labels=2))
    zero_shot.prepare(["a", "b"], embed)
    zero_shot.prepare(["b", "a"], embed)
    assert asked == ["a!", "b!"]
    zero_shot.prepare(["c"], embed)
    assert zero_shot.resident_bytes() == 2 * 4 * 4


def test_scale_and_midpoint_shape_the_scores() -> None:
    options = EncoderOptions(loader="sentence-encoder", scale=10.0, midpoint=0.5)
    vector, prepared = np.array([1.0, 0.0], np.float32), np.array([[0.5, 0.0], [1.0, 0.0]], np.float32)
    scores = ZeroShot(options).scores(vector, ["half", "full"], prepared, multi_label=True)
    assert scores == pytest.approx({"half": 0.5, "full": 1 / (1 + np.exp(-5.0))})
    competing = ZeroShot(options).scores(vector, ["half", "full"], prepared, multi_label=False)
    assert competing["full"] == pytest.approx(1 / (1 + np.exp(-5.0)))
