"""A bounded memory."""

from __future__ import annotations

from metier_contracts.authoring import Keeper


def test_the_one_not_used_for_longest_goes() -> None:
    keeper: Keeper[str, int] = Keeper(2)
    keeper.put("a", 1)
    keeper.put("b", 2)
    assert keeper.get("a") == 1
    keeper.put("c", 3)
    assert keeper.get("b") is None
    assert keeper.values() == [1, 3]


def test_a_value_is_replaced() -> None:
    keeper: Keeper[str, int] = Keeper(2)
    for value in (1, 2, 3):
        keeper.put("a", value)
    assert keeper.values() == [3]
    keeper.clear()
    assert keeper.values() == []
