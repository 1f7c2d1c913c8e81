"""What every card must hold: on its real weights where they can be had, else on a checkpoint of their format."""

from __future__ import annotations

import ctypes
import gc
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import psutil
import pytest
from metier import Runtime
from metier.plugins import discover
from metier_contracts import Embedding, ModelCard, Response, Task
from metier_contracts.tasks import TASKS

from tests.conformance.built import BUILDERS, FITS, fitted, fitted_cards, with_checkpoint
from tests.conformance.requests import requests_for
from tests.support.memory import tensors_alive

CARDS = [
    card
    for record in discover()
    if record.package == "metier" and record.manifest is not None
    for card in record.manifest.models
    if card.verified == "here" or card.id in BUILDERS
] + fitted_cards()
# bfloat16 has 8 bits of mantissa: a padded batch and a single text round their sums otherwise.
TOLERANCE = 2e-2
CYCLES = 10
# What malloc may keep without anybody holding it.
ALLOCATOR_SLACK = 4 * 2**20
# Constants that libraries make once are no larger.
SMALL = 4096


@pytest.fixture(scope="module", params=CARDS, ids=lambda card: card.id)
def card(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ModelCard:
    card: ModelCard = request.param
    if card.id in FITS:
        return fitted(card, tmp_path_factory.mktemp("fitted"))
    if card.verified != "here":
        return with_checkpoint(card, tmp_path_factory.mktemp("weights"))
    if card.options["loader"] == "from-scratch":
        return card.model_copy(update={"options": {**card.options, "epochs": 5}})
    if "points_per_side" not in card.options:
        return card
    # Every object of a picture, found by fewer clicks than users would want.
    return card.model_copy(update={"options": {**card.options, "points_per_side": 4}})


@pytest.fixture(scope="module")
def runtime(card: ModelCard) -> Iterator[Runtime]:
    with Runtime(cards=[card]) as runtime:
        runtime.pull(card.id)
        yield runtime


def test_there_are_cards() -> None:
    assert {card.plugin for card in CARDS} == {record.name for record in discover() if record.package == "metier"}


def test_each_task_has_a_request(card: ModelCard) -> None:
    assert {request.task for request in requests_for(card)} == set(card.tasks)


def test_answers_hold_the_invariants(runtime: Runtime, card: ModelCard) -> None:
    for request in requests_for(card):
        response = runtime.run(request, model=card.id)
        task: Task = TASKS[request.task]
        assert task.violation(request, response, card.tasks[request.task]) is None
        assert response.provenance is not None
        assert response.provenance.model == card.id


def test_answers_survive_the_wire(runtime: Runtime, card: ModelCard) -> None:
    for request in requests_for(card):
        response = runtime.run(request, model=card.id)
        assert TASKS[request.task].request.from_json(request.to_json()) == request
        assert TASKS[request.task].response.from_json(response.to_json()) == response


def test_a_batch_answers_as_singles_do(runtime: Runtime, card: ModelCard) -> None:
    requests = requests_for(card)
    singles = [runtime.run(request, model=card.id) for request in requests]
    for single, batched in zip(singles, runtime.map(requests, model=card.id), strict=True):
        assert_close(single, batched)


def test_the_same_request_has_the_same_answer(runtime: Runtime, card: ModelCard) -> None:
    for request in requests_for(card):
        first, second = (runtime.run(request, model=card.id) for _ in range(2))
        assert first.model_copy(update={"provenance": None}) == second.model_copy(update={"provenance": None})


def test_unloading_leaves_no_tensor(card: ModelCard) -> None:
    with Runtime(cards=[card]) as runtime:
        before = tensors_alive(over=SMALL)
        runtime.run(requests_for(card)[0], model=card.id)
        assert (runtime.accounted_bytes > 0) == (card.bytes > 0)
        assert runtime.unload(card.id)
        assert runtime.accounted_bytes == 0
        assert tensors_alive(over=SMALL) - before == set()


def test_loading_again_and_again_does_not_grow(card: ModelCard) -> None:
    with frozen(), Runtime(cards=[card]) as runtime:
        request = requests_for(card)[0]
        sizes = []
        for _ in range(CYCLES + 2):
            runtime.run(request, model=card.id)
            size = runtime.accounted_bytes
            runtime.unload(card.id)
            gc.collect()
            give_back()
            sizes.append(psutil.Process().memory_info().rss)
    # The first loads fill the allocators' pools, and a block may be freed late: the low marks tell.
    growth = min(sizes[-5:]) - min(sizes[2:6])
    assert growth <= 0.05 * max(size, card.bytes) + ALLOCATOR_SLACK


def test_offline_opens_no_socket(card: ModelCard, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with Runtime(cards=[card], offline=True) as offline:
        offline.run(requests_for(card)[0], model=card.id)


def give_back() -> None:
    """Have glibc, where it is the allocator, return to the system the memory that nothing holds any more."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


@contextmanager
def frozen() -> Iterator[None]:
    """Keep the collector from what libraries made when they were imported, which takes it half a second each time."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def assert_close(one: Response, other: Response) -> None:
    if isinstance(one, Embedding) and isinstance(other, Embedding):
        assert np.abs(one.vectors - other.vectors).max() <= TOLERANCE
        return
    left, right = one.model_dump(exclude={"provenance"}), other.model_dump(exclude={"provenance"})
    _assert_close(left, right)


def _assert_close(left: Any, right: Any) -> None:
    if isinstance(left, dict):
        assert left.keys() == right.keys()
        for key in left:
            _assert_close(left[key], right[key])
    elif isinstance(left, list | tuple):
        assert len(left) == len(right)
        for a, b in zip(left, right, strict=True):
            _assert_close(a, b)
    elif isinstance(left, np.ndarray):
        assert (left.dtype, left.shape) == (right.dtype, right.shape)
        if left.dtype == np.bool_:
            # Of masks a few pixels on their borders may change sides.
            assert (left != right).sum() <= TOLERANCE * left.size
        elif left.dtype.kind == "f":
            assert np.abs(left - right).max(initial=0) <= TOLERANCE * max(1, np.abs(left).max(initial=0))
        else:
            assert (left == right).all()
    elif isinstance(left, float):
        assert left == pytest.approx(right, abs=TOLERANCE)
    else:
        assert left == right
