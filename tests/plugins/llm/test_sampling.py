"""Tokens are drawn as the request says."""

from __future__ import annotations

import torch
from metier_contracts import Sampling
from metier_llm.sampling import Sampler

LOGITS = torch.tensor([0.0, 3.0, 2.0, -1.0, 1.0])


def draws(count: int = 300, seed: int = 1, **settings: float) -> list[int]:
    sampler = Sampler(Sampling(**settings), seed)  # type: ignore[arg-type]
    return [sampler(LOGITS.clone()) for _ in range(count)]


def test_temperature_zero_takes_the_most_probable() -> None:
    assert set(draws()) == {1}


def test_draws_follow_the_probabilities() -> None:
    drawn = draws(4000, temperature=1.0)
    shares = torch.tensor([drawn.count(token) / 4000 for token in range(5)])
    assert (shares - LOGITS.softmax(0)).abs().max() < 0.03


def test_a_seed_makes_draws_repeatable() -> None:
    assert draws(temperature=1.0, seed=3) == draws(temperature=1.0, seed=3)
    assert draws(temperature=1.0, seed=3) != draws(temperature=1.0, seed=4)


def test_without_a_seed_draws_differ() -> None:
    one, other = (Sampler(Sampling(temperature=5.0), None) for _ in range(2))
    assert [one(LOGITS) for _ in range(64)] != [other(LOGITS) for _ in range(64)]


def test_top_k_leaves_the_best() -> None:
    assert set(draws(temperature=2.0, top_k=2)) == {1, 2}
    assert set(draws(2000, temperature=5.0, top_k=9)) == {0, 1, 2, 3, 4}


def test_top_p_leaves_the_fewest_that_reach_it() -> None:
    # Probabilities at temperature 1: 0.64, 0.24, 0.09, 0.03, 0.01.
    assert set(draws(2000, temperature=1.0, top_p=0.6)) == {1}
    assert set(draws(2000, temperature=1.0, top_p=0.8)) == {1, 2}
    assert set(draws(2000, temperature=1.0, top_p=0.9)) == {1, 2, 4}


def test_what_is_forbidden_never_comes() -> None:
    forbidden = LOGITS.clone()
    forbidden[1:] = -torch.inf
    sampler = Sampler(Sampling(temperature=1.0), 1)
    assert {sampler(forbidden) for _ in range(50)} == {0}
