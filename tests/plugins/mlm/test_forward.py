from __future__ import annotations

import gc
import time
import weakref
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from metier_contracts import CallContext, Cancelled, DeadlineExceeded, InferenceError
from metier_mlm.forward import Network, cut


class Echo(torch.nn.Module):
    """Returns the token ids as its output; refuses batches over a size, and any with a token of 13 in it."""

    dtype = torch.float32

    def __init__(self, largest: int = 1_000) -> None:
        super().__init__()
        self.largest = largest
        self.batches: list[tuple[int, ...]] = []
        self.masked: list[bool] = []
        self.weight = torch.nn.Parameter(torch.zeros(3))
        self.tied = self.weight

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None) -> Any:
        self.batches.append(tuple(input_ids.shape))
        self.masked.append(attention_mask is not None)
        if len(input_ids) > self.largest:
            raise torch.OutOfMemoryError("too much")
        if (input_ids == 13).any():
            raise RuntimeError("unlucky")
        return input_ids


class Tokens:
    """What the network reads of an encoding."""

    def __init__(self, *ids: int) -> None:
        self.ids = list(ids)
        self.attention_mask = [1] * len(ids)
        self.type_ids = [0] * len(ids)

    def __len__(self) -> int:
        return len(self.ids)


def total(output: torch.Tensor, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    return (output * batch["attention_mask"]).sum(dim=1)


def run(module: Echo, *inputs: Tokens, budget: int = 100) -> list[Any]:
    return Network(module, "cpu", budget, pad_id=7).run(inputs, total, CallContext())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("lengths", "budget", "expected"),
    [
        ([], 10, []),
        ([5], 10, [[0]]),
        ([5, 1, 3], 10, [[1, 2], [0]]),
        ([2, 2, 2, 2, 2], 4, [[0, 1], [2, 3], [4]]),
        ([99, 1], 10, [[1], [0]]),
    ],
)
def test_batches_are_sorted_and_under_the_budget(lengths: list[int], budget: int, expected: list[list[int]]) -> None:
    assert cut(lengths, budget) == expected


def test_each_input_is_in_one_batch() -> None:
    lengths = np.random.default_rng(0).integers(1, 256, 500).tolist()
    batches = cut(lengths, 2_048)
    assert sorted(position for batch in batches for position in batch) == list(range(500))
    assert all(len(batch) * max(lengths[position] for position in batch) <= 2_048 for batch in batches)


def test_rows_come_in_the_callers_order() -> None:
    rows = run(Echo(), Tokens(1, 2, 3), Tokens(4), Tokens(5, 6), budget=4)
    assert [float(row) for row in rows] == [6, 4, 11]
    assert rows[0].dtype == np.float32


def test_padding_is_masked_and_there_is_none_without_need() -> None:
    module = Echo()
    assert [float(row) for row in run(module, Tokens(1, 2), Tokens(3))] == [3, 3]
    run(module, Tokens(1, 2), Tokens(3, 4))
    assert module.masked == [True, False]


def test_a_bad_input_fails_alone() -> None:
    rows = run(Echo(), Tokens(1), Tokens(13), Tokens(2), Tokens(3))
    assert [float(rows[position]) for position in (0, 2, 3)] == [1, 2, 3]
    assert isinstance(rows[1], InferenceError)
    assert "unlucky" in str(rows[1])


def test_a_batch_that_does_not_fit_the_memory_is_halved() -> None:
    module = Echo(largest=2)
    assert [float(row) for row in run(module, *[Tokens(number) for number in range(5)])] == [0, 1, 2, 3, 4]
    assert max(batch[0] for batch in module.batches[1:]) <= 3


def test_shared_storages_count_once() -> None:
    assert Network(Echo(), "cpu", 10, pad_id=0).resident_bytes() == 3 * 4


def test_close_lets_go() -> None:
    network = Network(Echo(), "cpu", 10, pad_id=0)
    alive = weakref.ref(network.module)
    network.close()
    gc.collect()
    assert alive() is None


def test_type_ids_are_given_where_wanted() -> None:
    given: dict[str, torch.Tensor] = {}

    def module(**inputs: Any) -> torch.Tensor:
        given.update(inputs)
        return inputs["input_ids"]

    module.dtype = torch.float32  # type: ignore[attr-defined]
    pair = SimpleNamespace(ids=[1, 2], attention_mask=[1, 1], type_ids=[0, 1], __len__=lambda: 2)
    tokens = Tokens(1, 2)
    tokens.type_ids = pair.type_ids
    Network(module, "cpu", 10, pad_id=0, type_ids=True).run([tokens], total, CallContext())  # type: ignore[list-item]
    assert given["token_type_ids"].tolist() == [[0, 1]]


def test_no_batch_could_take_one_more() -> None:
    lengths = [draw % 17 + 1 for draw in range(100)]
    batches = cut(lengths, 50)
    for batch, after in pairwise(batches):
        assert lengths[after[0]] * (len(batch) + 1) > 50


def test_cancelled_between_batches() -> None:
    context = CallContext()
    module = Echo()

    def cancel(output: torch.Tensor, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        context.cancel()
        return total(output, batch)

    with pytest.raises(Cancelled):
        Network(module, "cpu", 3, 0).run([Tokens(1, 2, 3)] * 3, cancel, context)  # type: ignore[list-item]
    assert len(module.batches) == 1


def test_expired_before_the_first_batch() -> None:
    module, late = Echo(), CallContext(deadline=time.monotonic() - 1)
    with pytest.raises(DeadlineExceeded):
        Network(module, "cpu", 3, 0).run([Tokens(1, 2, 3)], total, late)  # type: ignore[list-item]
    assert module.batches == []


def test_padding_is_of_the_kind_that_the_model_knows() -> None:
    given: list[dict[str, torch.Tensor]] = []

    def module(**inputs: Any) -> torch.Tensor:
        given.append(inputs)
        return inputs["input_ids"]

    module.dtype = torch.float32  # type: ignore[attr-defined]
    tokens = [Tokens(1), Tokens(1, 2, 3)]
    tokens[1].type_ids = [0, 1, 1]
    Network(module, "cpu", 10, pad_id=7, type_ids=True).run(tokens, total, CallContext())  # type: ignore[arg-type]
    assert given[0]["input_ids"].tolist() == [[1, 7, 7], [1, 2, 3]]
    assert given[0]["attention_mask"].tolist() == [[1, 0, 0], [1, 1, 1]]
    assert given[0]["token_type_ids"].tolist() == [[0, 0, 0], [0, 1, 1]]
