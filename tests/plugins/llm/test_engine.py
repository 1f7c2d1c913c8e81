"""Sequences of many callers, decoded side by side."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from metier_contracts import CallContext, Cancelled, DeadlineExceeded, InferenceError
from metier_llm.engine import Decoding, Engine
from metier_llm.network import Network

PROMPTS = [[5, 9, 200, 31], [7], [*range(40, 90)], [11, 12, 13, 14, 15, 16], [3, 3, 3], [250, 1], [*range(100, 130)]]
MOST = 12


def best(logits: torch.Tensor) -> int:
    return int(logits.argmax())


def decoding(prompt: Sequence[int], most: int = MOST, take: Callable[[int], bool] = lambda token: False) -> Decoding:
    return Decoding(prompt, most, best, take)


def engine(module: Any, *, rows: int = 16, cache: int = 4096, chunk: int = 256) -> Engine:
    return Engine(Network(module), max_sequences=rows, cache_tokens=cache, prefill_chunk=chunk)


@torch.inference_mode()
def alone(module: Any, prompt: Sequence[int], most: int = MOST) -> list[int]:
    known = list(prompt)
    for _ in range(most):
        known.append(int(module(torch.tensor([known]), use_cache=False).logits[0, -1].argmax()))
    return known[len(prompt) :]


@pytest.mark.parametrize("limits", [{}, {"rows": 3}, {"cache": 80}, {"chunk": 5}, {"rows": 1}])
def test_side_by_side_gives_what_each_gives_alone(module: Any, limits: dict[str, int]) -> None:
    decodings = [decoding(prompt, most) for prompt, most in zip(PROMPTS, [12, 1, 5, 12, 7, 12, 3], strict=True)]
    busy = engine(module, **limits)
    busy.run(decodings, CallContext())
    for made, prompt in zip(decodings, PROMPTS, strict=True):
        assert made.error is None
        assert made.tokens == alone(module, prompt, made.most)
    assert busy.nbytes() == 0


def test_callers_share_the_steps(llama: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[int] = []
    network = Network(llama)
    forward = network.next_logits
    monkeypatch.setattr(
        network, "next_logits", lambda tokens, cache: (rows.append(len(tokens)), forward(tokens, cache))[1]
    )
    busy = Engine(network, max_sequences=16, cache_tokens=4096, prefill_chunk=256)
    decodings = [decoding(prompt, 40) for prompt in PROMPTS]
    start = threading.Barrier(len(PROMPTS))

    def call(one: Decoding) -> None:
        start.wait()
        busy.run([one], CallContext())

    threads = [threading.Thread(target=call, args=(one,)) for one in decodings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.tokens for one in decodings] == [alone(llama, prompt, 40) for prompt in PROMPTS]
    assert max(rows) > 1
    assert len(rows) < 40 * len(PROMPTS)


def test_an_end_frees_the_place(llama: Any) -> None:
    expected = alone(llama, PROMPTS[0])
    one = decoding(PROMPTS[0], take=lambda token: token == expected[4])
    engine(llama).run([one], CallContext())
    assert one.tokens == expected[: expected.index(expected[4]) + 1]


def test_a_choice_that_fails_fails_alone(llama: Any) -> None:
    def refuse(logits: torch.Tensor) -> int:
        raise RuntimeError("no token fits")

    bad = Decoding(PROMPTS[2], MOST, refuse, lambda token: False)
    good = decoding(PROMPTS[3])
    engine(llama).run([bad, good], CallContext())
    assert isinstance(bad.error, InferenceError)
    assert "no token fits" in str(bad.error)
    assert good.tokens == alone(llama, PROMPTS[3])


def test_too_little_memory_is_met_by_fewer_side_by_side(llama: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(llama)
    forward, refused = network.next_logits, []

    def scarce(tokens: Any, cache: Any) -> torch.Tensor:
        if len(tokens) > 2:
            refused.append(len(tokens))
            raise torch.OutOfMemoryError("out of memory")
        return forward(tokens, cache)

    monkeypatch.setattr(network, "next_logits", scarce)
    decodings = [decoding(prompt) for prompt in PROMPTS]
    Engine(network, max_sequences=16, cache_tokens=4096, prefill_chunk=16).run(decodings, CallContext())
    assert refused
    assert [one.tokens for one in decodings] == [alone(llama, prompt) for prompt in PROMPTS]


def test_what_always_fails_ends_with_its_error(llama: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(llama)
    monkeypatch.setattr(network, "next_logits", lambda tokens, cache: 1 / 0)
    decodings = [decoding(prompt) for prompt in PROMPTS]
    Engine(network, max_sequences=16, cache_tokens=4096, prefill_chunk=256).run(decodings, CallContext())
    assert all(isinstance(one.error, InferenceError) for one in decodings)


def test_a_deadline_ends_its_own_call(llama: Any) -> None:
    busy = engine(llama)
    late, patient = decoding(PROMPTS[0], 10_000), decoding(PROMPTS[3])
    with pytest.raises(DeadlineExceeded):
        busy.run([late], CallContext(deadline=time.monotonic() + 0.05))
    assert late.done
    busy.run([patient], CallContext())
    assert patient.tokens == alone(llama, PROMPTS[3])
    assert busy.nbytes() == 0


def test_a_cancelled_caller_leaves_the_others_at_work(llama: Any) -> None:
    busy, context = engine(llama), CallContext()
    other = decoding(PROMPTS[3], 60)

    def cancel(token: int) -> bool:
        context.cancel()
        return False

    with pytest.raises(Cancelled):
        busy.run([decoding(PROMPTS[0], 60, cancel), other], context)
    again = decoding(PROMPTS[3], 60)
    busy.run([again], CallContext())
    assert again.tokens == alone(llama, PROMPTS[3], 60)


def test_an_interrupt_leaves_the_others_whole(llama: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(llama)
    forward, steps = network.next_logits, []

    def interrupted(tokens: Any, cache: Any) -> torch.Tensor:
        steps.append(len(tokens))
        if len(steps) == 5:
            raise KeyboardInterrupt
        return forward(tokens, cache)

    monkeypatch.setattr(network, "next_logits", interrupted)
    busy = Engine(network, max_sequences=16, cache_tokens=4096, prefill_chunk=256)
    stopped, waiting = busy.steps([decoding(PROMPTS[0])], CallContext()), decoding(PROMPTS[3])
    other = busy.steps([waiting], CallContext())
    next(other)
    with pytest.raises(KeyboardInterrupt):
        list(stopped)
    list(other)
    assert waiting.tokens == alone(llama, PROMPTS[3])


def test_two_streams_of_one_thread_take_turns(llama: Any) -> None:
    busy = engine(llama)
    one, other = decoding(PROMPTS[0]), decoding(PROMPTS[2])
    streams = [busy.steps([one], CallContext()), busy.steps([other], CallContext())]
    while streams:
        streams = [stream for stream in streams if next(stream, "end") != "end"]
    assert one.tokens == alone(llama, PROMPTS[0])
    assert other.tokens == alone(llama, PROMPTS[2])


def test_a_stream_left_open_keeps_nobody_waiting(llama: Any) -> None:
    busy = engine(llama, rows=1)
    stream = busy.steps([decoding(PROMPTS[0])], CallContext())
    next(stream)
    stream.close()
    other = decoding(PROMPTS[3])
    busy.run([other], CallContext())
    assert other.tokens == alone(llama, PROMPTS[3])
