"""A memory that is bounded in bytes."""

from __future__ import annotations

import torch
from metier_sam.keeping import Embedding, Keeper


def embedding(floats: int) -> Embedding:
    return Embedding({"a": [torch.zeros(floats)]}, (1, 1), (1, 1))


def test_the_one_not_used_for_longest_goes() -> None:
    keeper = Keeper(800)
    for name in "ab":
        keeper.put(name, embedding(100))
    assert keeper.get("a") is not None
    keeper.put("c", embedding(100))
    assert keeper.get("b") is None
    assert [keeper.get(name) is not None for name in "ac"] == [True, True]
    assert keeper.nbytes == 800


def test_one_over_the_limit_is_not_kept_and_drives_out_nothing() -> None:
    keeper = Keeper(800)
    keeper.put("a", embedding(100))
    keeper.put("b", embedding(201))
    assert keeper.get("b") is None
    assert keeper.get("a") is not None


def test_a_large_one_takes_the_place_of_several() -> None:
    keeper = Keeper(800)
    for name in "abc":
        keeper.put(name, embedding(60))
    keeper.put("d", embedding(130))
    assert [keeper.get(name) is not None for name in "abcd"] == [False, False, True, True]


def test_a_value_is_replaced_and_all_is_forgotten() -> None:
    keeper = Keeper(800)
    for _ in range(3):
        keeper.put("a", embedding(150))
    assert keeper.nbytes == 600
    keeper.clear()
    assert keeper.nbytes == 0


def test_shared_storage_counts_once() -> None:
    whole = torch.zeros(100)
    assert Embedding((whole, whole[:10]), (1, 1), (1, 1)).nbytes == 400
