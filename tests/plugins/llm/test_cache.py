"""Sequences that join and leave a cache are read as if each stood alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from metier_llm.cache import KeyValues
from metier_llm.network import Network

PROMPTS = ([5, 9, 200, 31], [7], [*range(40, 90)], [11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21])


def assert_close(one: torch.Tensor, other: torch.Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


@torch.inference_mode()
def alone(module: Any, tokens: list[int]) -> torch.Tensor:
    return module(torch.tensor([tokens]), use_cache=False).logits[0, -1].float()


@torch.inference_mode()
def test_prompts_of_unlike_length_are_read_side_by_side(module: Any) -> None:
    network = Network(module)
    width = max(map(len, PROMPTS))
    cache = network.new_cache([width - len(prompt) for prompt in PROMPTS])
    padded = [[0] * (width - len(prompt)) + prompt for prompt in PROMPTS]
    for start in range(0, width, 16):
        logits = network.next_logits([row[start : start + 16] for row in padded], cache)
    for row, prompt in zip(logits, PROMPTS, strict=True):
        assert_close(row, alone(module, prompt))
    assert cache.lengths == [len(prompt) for prompt in PROMPTS]


@torch.inference_mode()
def test_rows_join_and_leave_between_two_steps(module: Any) -> None:
    network = Network(module)
    pool = network.new_cache()
    live: list[list[int]] = []

    def join(prompt: list[int]) -> None:
        cache = network.new_cache([0])
        network.next_logits([prompt], cache)
        pool.join(cache, 0)
        live.append(list(prompt))

    def decode(steps: int) -> None:
        for step in range(steps):
            tokens = [(31 * step + 7 * len(row)) % 320 for row in live]
            logits = network.next_logits([[token] for token in tokens], pool)
            for row, token, known in zip(logits, tokens, live, strict=True):
                known.append(token)
                assert_close(row, alone(module, known))

    join(PROMPTS[1])
    decode(2)
    join(PROMPTS[2])  # longer than all that is there
    join(PROMPTS[0])
    decode(3)
    pool.leave(0)
    live[0] = live.pop()
    decode(70)  # more columns than were made at first
    join(PROMPTS[3])
    pool.leave(1)  # the longest
    live[1] = live.pop()
    decode(3)
    assert pool.lengths == [len(row) for row in live]
    for row in (1, 0):
        pool.leave(row)
    assert pool.nbytes() == 0


@torch.inference_mode()
def test_a_kept_beginning_goes_on_in_many_ways(module: Any) -> None:
    network = Network(module)
    cache = network.new_cache([0])
    network.next_logits([PROMPTS[2]], cache)
    cache.keep(20)
    rows = [[1, 2, 3], [4, 5, 6]]
    logits = network.all_logits(rows, cache.repeated(2))
    for row, tokens in zip(logits, rows, strict=True):
        assert_close(row[-1], alone(module, PROMPTS[2][:20] + tokens))
        assert_close(row[0], alone(module, PROMPTS[2][:20] + tokens[:1]))
    assert cache.lengths == [20]
    assert_close(network.next_logits([[8]], cache)[0], alone(module, [*PROMPTS[2][:20], 8]))


def test_an_empty_cache_holds_nothing() -> None:
    assert KeyValues(3).nbytes() == 0


@pytest.mark.parametrize("lengths", [[3, 3], [3]])
def test_rows_of_one_length_need_no_mask(lengths: list[int]) -> None:
    assert KeyValues(1, [-length for length in lengths]).padding_mask(1) is None
