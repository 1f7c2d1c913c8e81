"""Sums of usage are exact, whatever their order and grouping."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metier.usage import Totals, Usage, parts, whole

FLOATS = st.floats(min_value=0, max_value=1e12, allow_subnormal=True)


@given(FLOATS)
def test_a_float_is_a_whole_number_of_parts(value: float) -> None:
    assert whole(parts(value)) == value


@given(st.lists(FLOATS, max_size=50))
def test_a_sum_of_parts_is_the_sum_rounded_once(values: list[float]) -> None:
    assert whole(sum(map(parts, values))) == math.fsum(values)


def some_usage(draw: random.Random) -> Usage:
    keys = [(step, model) for step in ("a", "b", None) for model in ("x", "y")]
    return Usage(
        {
            key: Totals(
                draw.randrange(9),
                draw.randrange(9),
                draw.randrange(9),
                draw.randrange(9),
                draw.randrange(9),
                Fraction(draw.random()),
                Fraction(draw.random() * 1e-6),
            )
            for key in draw.sample(keys, 4)
        }
    )


@pytest.mark.parametrize("seed", range(20))
def test_groups_add_up_to_the_whole(seed: int) -> None:
    usage = some_usage(random.Random(seed))
    assert sum(usage.steps.values(), Usage()) == usage
    assert sum(usage.models.values(), Usage()) == usage
    assert math.fsum(row.cost for row in usage.rows.values()) == pytest.approx(usage.cost)
    assert sum(row.exact_cost for row in usage.rows.values()) == usage.total.exact_cost


@pytest.mark.parametrize("seed", range(20))
def test_what_was_added_can_be_taken_away(seed: int) -> None:
    draw = random.Random(seed)
    one, other = some_usage(draw), some_usage(draw)
    assert one + other == other + one
    assert (one + other) - other == one
    assert one - one == Usage()
    assert not (one - one).rows


def test_a_usage_cannot_be_changed() -> None:
    usage = Usage({("a", "x"): Totals(1)})
    with pytest.raises(TypeError):
        usage.rows["a", "x"] = Totals(2)  # type: ignore[index]
    with pytest.raises(AttributeError):
        usage.rows = {}  # type: ignore[misc]


def test_it_prints_as_a_table_of_models() -> None:
    usage = Usage({("a", "x"): Totals(2, 1, 0, 30, 4, Fraction(1, 2), Fraction(1, 8)), ("b", "x"): Totals(1)})
    header, model, total = str(usage).splitlines()
    assert header.split() == ["model", "requests", "failures", "cached", "tokens", "read", "written", "seconds", "cost"]
    assert model.split() == ["x", "3", "1", "0", "30", "4", "0.500", "$0.125000"]
    assert total.split()[0] == "total"
