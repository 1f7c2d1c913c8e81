"""Every wrong wiring in the corpus is refused when built, and every right one is accepted and runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from metier_contracts import PipelineTypeError

from .corpus import MISWIRED, WIRED


@pytest.mark.parametrize("cases", [MISWIRED, WIRED])
def test_there_are_sixty_cases_and_none_stands_twice(cases: list[tuple[Any, ...]]) -> None:
    titles = [case[0] for case in cases]
    assert len({*titles}) == len(titles) >= 60


@pytest.mark.parametrize(("build", "giver", "taker"), [pytest.param(*case[1:], id=case[0]) for case in MISWIRED])
def test_a_wrong_wiring_is_refused_and_names_both_steps(build: Callable[[], Any], giver: str, taker: str) -> None:
    with pytest.raises(PipelineTypeError) as raised:
        build()
    message = str(raised.value)
    assert f"'{giver}'" in message
    assert f"'{taker}'" in message
    assert raised.value.expected
    assert raised.value.got


@pytest.mark.parametrize(("build", "value", "result"), [pytest.param(*case[1:], id=case[0]) for case in WIRED])
def test_a_right_wiring_is_accepted_and_runs(models: Any, build: Callable[[], Any], value: Any, result: Any) -> None:
    assert models.run(build(), value) == result
