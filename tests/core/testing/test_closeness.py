"""What counts as the same answer up to rounding."""

from __future__ import annotations

import pytest
from metier.testing.closeness import difference
from metier_contracts import RankedToken, TokenRanking


def ranking(**scores: float) -> TokenRanking:
    return TokenRanking(tokens=[RankedToken(token=token, score=score) for token, score in scores.items()])


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (ranking(a=0.505, b=0.245, c=0.235), True),
        (ranking(a=0.5, c=0.245, b=0.24), True),  # as good as equal
        (ranking(a=0.5, b=0.25, d=0.24), True),  # c is the fourth now
        (ranking(b=0.5, a=0.25, c=0.24), False),
        (ranking(a=0.5, d=0.25, c=0.1), False),
        (ranking(d=0.5, b=0.25, c=0.24), False),
        (ranking(a=0.6, b=0.25, c=0.24), False),
        (ranking(a=0.5, b=0.25), False),
    ],
    ids=lambda value: " ".join(token.token for token in value.tokens) if isinstance(value, TokenRanking) else "",
)
def test_tokens_of_nearly_one_score_may_change_places(other: TokenRanking, same: bool) -> None:
    assert (difference(ranking(a=0.5, b=0.25, c=0.24), other) is None) == same


def test_without_a_tolerance_none_may() -> None:
    assert difference(ranking(a=0.5, b=0.5), ranking(b=0.5, a=0.5), tolerance=0) is not None
