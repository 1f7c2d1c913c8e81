from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from metier_contracts import (
    CallContext,
    Cancelled,
    DeadlineExceeded,
    Embed,
    InferenceError,
    InputError,
    MetierError,
    Rank,
)

MODELS = ["encoder", "antiberty", "spacy_model"]


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture
def requests(model: Any) -> Sequence[Any]:
    from metier_contracts import Extract, FillMask

    return {
        "all-MiniLM-L6-v2": [Embed(texts=["one"])],
        "antiberty": [FillMask(text="EVQL[MASK]ESGG")],
        "en-core-web-sm": [Extract(text="Anna lives in Vienna.")],
    }[model.card.id]


def test_nothing_asked_nothing_answered(model: Any, context: CallContext) -> None:
    assert list(model.infer([], context)) == []


def test_a_deadline_in_the_past_is_noticed(model: Any, requests: Sequence[Any]) -> None:
    with pytest.raises(DeadlineExceeded):
        model.infer(requests, CallContext(deadline=time.monotonic() - 1))


def test_a_cancellation_is_noticed(model: Any, requests: Sequence[Any], context: CallContext) -> None:
    context.cancel()
    with pytest.raises(Cancelled):
        model.infer(requests, context)


def test_a_deadline_is_noticed_between_batches(encoder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    context, batches = CallContext(), []
    forward = encoder._network._forward

    def counted(batch: Any, reduce: Any) -> Any:
        batches.append(len(batch))
        context.cancel()
        return forward(batch, reduce)

    monkeypatch.setattr(encoder._network, "_forward", counted)
    monkeypatch.setattr(encoder._network, "_batch_tokens", 16)
    with pytest.raises(Cancelled):
        encoder.infer([Embed(texts=[f"text number {number}" for number in range(20)])], context)
    assert len(batches) == 1


def test_a_shared_text_is_read_once(encoder: Any, context: CallContext, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    run = encoder._network.run
    monkeypatch.setattr(encoder._network, "run", lambda rows, *rest: read.append(len(rows)) or run(rows, *rest))
    encoder.infer([Rank(query="same", candidates=[f"text {number}", "again"]) for number in range(3)], context)
    assert read == [1 + 3 + 1]


def test_a_text_that_fails_fails_its_requests_alone(
    encoder: Any, context: CallContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = encoder._network._forward
    unlucky = encoder._tokenizer.encode(["unlucky"])[0].ids

    def sometimes(batch: Any, reduce: Any) -> Any:
        if any(encoding.ids == unlucky for encoding in batch):
            raise RuntimeError("no")
        return forward(batch, reduce)

    monkeypatch.setattr(encoder._network, "_forward", sometimes)
    texts = (["one", "two"], ["three", "unlucky"], ["four"])
    first, second, third = encoder.infer([Embed(texts=some) for some in texts], context)
    assert first.vectors.shape == (2, 384)
    assert isinstance(second, InferenceError)
    assert third.vectors.shape == (1, 384)


def test_a_text_that_is_no_unicode_fails_alone(encoder: Any, context: CallContext) -> None:
    """The contracts refuse such a text; a prefix from a card, or a later version of them, might not."""
    broken = Embed.model_construct(texts=["half \ud800 a pair"])
    answer, good = encoder.infer([broken, Embed(texts=["good"])], context)
    assert isinstance(answer, InputError)
    assert good.vectors.shape == (1, 384)


@pytest.mark.parametrize("name", ["all-MiniLM-L6-v2", "antiberty", "en-core-web-sm"])
def test_close_leaves_no_tensor(load: Any, name: str) -> None:
    before = storages()
    loaded = load(name)
    held = [weakref.ref(one) for one in parameters(loaded)]
    assert loaded.resident_bytes() > 1_000_000
    loaded.close()
    del loaded
    gc.collect()
    assert [one for one in held if one() is not None] == []
    assert storages() <= before


def parameters(model: Any) -> list[torch.Tensor]:
    network = getattr(model, "_network", None)
    return [] if network is None else list(network.module.parameters())


def storages() -> set[int]:
    gc.collect()
    return {
        one.untyped_storage().data_ptr()
        for one in gc.get_objects()
        # By type: some objects of torch warn where they are asked for their class.
        if issubclass(type(one), torch.Tensor) and one.untyped_storage().nbytes() > 4096
    }


@pytest.mark.parametrize("name", ["all-MiniLM-L6-v2", "antiberty", "en-core-web-sm"])
def test_a_closed_model_answers_nothing(load: Any, name: str) -> None:
    from metier_contracts import Extract, FillMask

    loaded = load(name)
    loaded.close()
    asked = [Embed(texts=["one"]), FillMask(text="EVQL[MASK]ESGG"), Extract(text="Anna lives in Vienna.")]
    assert all(isinstance(answer, MetierError) for answer in loaded.infer(asked, CallContext()))
