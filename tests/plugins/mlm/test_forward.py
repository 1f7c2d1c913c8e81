"""Batches by length, padding, and what happens between them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from metier_contracts import CallContext, Cancelled, DeadlineExceeded, InferenceError
from metier_mlm.forward import Batch, Network, cut


class Echo(torch.nn.Module):
    """Returns its ids as hidden states, records what it was given, and fails where `fails` says so."""

    dtype = torch.float32

    def __init__(self, fails: Callable[[torch.Tensor], bool] = lambda ids: False) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(10, 10))
        self.register_buffer("numbers", torch.zeros(5))
        self.calls: list[dict[str, Any]] = []
        self._fails = fails

    def forward(self, **inputs: Any) -> torch.Tensor:
        self.calls.append(inputs)
        ids: torch.Tensor = inputs["input_ids"]
        if self._fails(ids):
            raise RuntimeError("out of memory")
        return ids


def encoding(*ids: int) -> Any:
    class Fake(SimpleNamespace):
        def __len__(self) -> int:
            return len(self.ids)

    return Fake(ids=list(ids), attention_mask=[1] * len(ids), type_ids=[0, *[1] * (len(ids) - 1)])


def total(output: torch.Tensor, batch: Batch) -> torch.Tensor:
    return (output * batch["attention_mask"]).sum(dim=1)


def lines(lengths: Sequence[int]) -> list[Any]:
    return [encoding(*range(1, length + 1)) for length in lengths]


@pytest.mark.parametrize("budget", [1, 7, 64, 10_000])
def test_each_input_is_in_one_batch(budget: int) -> None:
    draw = random.Random(0)
    lengths = [draw.randint(1, 40) for _ in range(200)]
    batches = cut(lengths, budget)
    assert sorted(position for batch in batches for position in batch) == list(range(200))
    assert [lengths[position] for batch in batches for position in batch] == sorted(lengths)
    assert all(len(batch) == 1 or len(batch) * max(lengths[p] for p in batch) <= budget for batch in batches)


def test_no_batch_could_take_one_more() -> None:
    lengths = [draw % 17 + 1 for draw in range(100)]
    batches = cut(lengths, 50)
    for batch, after in zip(batches, batches[1:], strict=False):
        assert lengths[after[0]] * (len(batch) + 1) > 50


def test_nothing_makes_no_batch() -> None:
    assert cut([], 100) == []


def test_rows_come_back_in_order() -> None:
    lengths = [5, 1, 9, 3, 3, 8, 2]
    rows = Network(Echo(), "cpu", 12, 0).run(lines(lengths), total, CallContext())
    assert [float(row) for row in rows] == [length * (length + 1) / 2 for length in lengths]  # type: ignore[arg-type]


def test_padding_is_the_pad_token_and_masked() -> None:
    module = Echo()
    Network(module, "cpu", 100, 77).run(lines([1, 3]), total, CallContext())
    (call,) = module.calls
    assert call["input_ids"].tolist() == [[1, 77, 77], [1, 2, 3]]
    assert call["attention_mask"].tolist() == [[1, 0, 0], [1, 1, 1]]
    assert "token_type_ids" not in call


def test_without_padding_there_is_no_mask() -> None:
    module = Echo()
    Network(module, "cpu", 100, 0).run(lines([3, 3]), total, CallContext())
    assert module.calls[0]["attention_mask"] is None


def test_type_ids_where_the_model_tells_them_apart() -> None:
    module = Echo()
    Network(module, "cpu", 100, 0, type_ids=True).run(lines([2, 3]), total, CallContext())
    assert module.calls[0]["token_type_ids"].tolist() == [[0, 1, 0], [0, 1, 1]]


def test_an_input_that_fails_fails_alone() -> None:
    network = Network(Echo(lambda ids: bool((ids == 4).any())), "cpu", 1000, 0)
    rows = network.run(lines([1, 4, 2, 3, 5]), total, CallContext())
    assert [isinstance(row, InferenceError) for row in rows] == [False, True, False, False, True]
    assert isinstance(rows[1], InferenceError)
    assert "out of memory" in str(rows[1])


def test_a_batch_too_large_for_the_memory_is_halved() -> None:
    module = Echo(lambda ids: len(ids) > 2)
    rows = Network(module, "cpu", 1000, 0).run(lines([3] * 8), total, CallContext())
    assert [float(row) for row in rows] == [6.0] * 8  # type: ignore[arg-type]


def test_cancelled_between_batches() -> None:
    context = CallContext()
    module = Echo()

    def cancel(output: torch.Tensor, batch: Batch) -> torch.Tensor:
        context.cancel()
        return total(output, batch)

    with pytest.raises(Cancelled):
        Network(module, "cpu", 3, 0).run(lines([3, 3, 3]), cancel, context)
    assert len(module.calls) == 1


def test_expired_before_the_first_batch() -> None:
    module = Echo()
    with pytest.raises(DeadlineExceeded):
        Network(module, "cpu", 3, 0).run(lines([3]), total, CallContext(deadline=time.monotonic() - 1))
    assert module.calls == []


def test_bytes_of_parameters_and_buffers() -> None:
    network = Network(Echo(), "cpu", 3, 0)
    assert network.resident_bytes() == 4 * (100 + 5)
    assert network.dtype == "float32"
