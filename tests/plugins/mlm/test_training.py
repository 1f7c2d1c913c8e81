from __future__ import annotations

import time
from typing import Any

import pytest
import torch
from metier_contracts import CallContext, Cancelled, DeadlineExceeded, InferenceError
from metier_mlm.training import Sample, Schedule, train
from transformers import BertConfig, BertForSequenceClassification

SAMPLES = [Sample([1, 2 + number % 2, 3] + [4] * (number % 3), number % 2) for number in range(10)]
SCHEDULE = Schedule(epochs=2, learning_rate=1e-3, batch_size=4, seed=7)


def module() -> Any:
    torch.manual_seed(0)
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    return BertForSequenceClassification(BertConfig(vocab_size=8, max_position_embeddings=8, **size))


def weights_after(schedule: Schedule, context: CallContext | None = None) -> torch.Tensor:
    trained = module()
    train(trained, SAMPLES, schedule, 0, context or CallContext())
    assert not trained.training
    return torch.cat([one.detach().flatten() for one in trained.parameters()])


def test_the_same_seed_gives_the_same_weights() -> None:
    assert torch.equal(weights_after(SCHEDULE), weights_after(SCHEDULE))


def test_another_seed_gives_others() -> None:
    assert not torch.equal(weights_after(SCHEDULE), weights_after(Schedule(2, 1e-3, 4, seed=8)))


def test_it_learns() -> None:
    trained = module()
    train(trained, SAMPLES * 8, Schedule(10, 1e-2, 8, 0), 0, CallContext())
    with torch.inference_mode():
        answers = [int(trained(input_ids=torch.tensor([sample.ids])).logits.argmax()) for sample in SAMPLES]
    assert answers == [sample.target for sample in SAMPLES]


def test_the_callers_random_numbers_stay_as_they_are() -> None:
    trained = module()
    state = torch.random.get_rng_state()
    train(trained, SAMPLES, SCHEDULE, 0, CallContext())
    assert torch.equal(torch.random.get_rng_state(), state)


def test_progress_counts_the_steps() -> None:
    steps: list[tuple[int, int | None]] = []
    weights_after(SCHEDULE, CallContext(progress=lambda done, total: steps.append((done, total))))
    assert steps == [(number, 6) for number in range(1, 7)]


def test_it_stops_when_the_caller_does() -> None:
    context = CallContext(progress=lambda done, total: context.cancel())
    with pytest.raises(Cancelled):
        weights_after(SCHEDULE, context)
    with pytest.raises(DeadlineExceeded):
        weights_after(SCHEDULE, CallContext(deadline=time.monotonic() - 1))


def test_a_loss_that_is_no_number_is_an_error() -> None:
    broken = module()
    broken.classifier.bias.data.fill_(float("nan"))
    with pytest.raises(InferenceError, match="diverged"):
        train(broken, SAMPLES, SCHEDULE, 0, CallContext())
