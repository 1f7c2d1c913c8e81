"""Non-functional checks of how a model behaves: alike however it is called, and done when nobody waits any more."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from metier_contracts import CallContext, MetierError, Model, PlacedModel, Request, Response

from metier.devices import TorchDevices
from metier.testing.check import Check
from metier.testing.closeness import difference
from metier.testing.finding import Failure, NotApplicable
from metier.testing.subject import SEED, Subject

_THREADS = 4
_ROUNDS = 8
_CANCEL_AFTER_SECONDS = 0.1
CANCELLED_WITHIN_SECONDS = 1.0
_WORK_SECONDS = 3.0
_MOST_REQUESTS = 256


def _compare(subject: Subject, answers: Sequence[object], places: Sequence[int], how: str, tolerance: float) -> None:
    """Raise `Failure` where an answer is not what the request of its place was answered alone."""
    for answer, place in zip(answers, places, strict=True):
        if not isinstance(answer, Response):
            raise Failure(f"request {place} has {answer!r:.80} {how}")
        found = difference(subject.answers[place], answer, tolerance)
        if found is not None:
            raise Failure(f"request {place} has another answer {how}: {found}")


def _determinism(subject: Subject) -> None:
    again = [answer for answer, _ in subject.again]
    _compare(subject, again, range(len(again)), "the second time, with the same seed", 0)


def _batch_invariance(subject: Subject) -> None:
    for places, answers in subject.batched:
        _compare(subject, answers, places, f"in a batch of {len(places)}", subject.tolerance)


def _thread_safety(subject: Subject) -> None:
    if not subject.card.thread_safe:
        raise NotApplicable("the card does not say thread_safe")
    requests, together = subject.asked(), threading.Barrier(_THREADS)

    def work(thread: int) -> None:
        places = [(thread + turn) % len(requests) for turn in range(_ROUNDS)]
        together.wait()
        for place in places:
            answer = subject.ask_one(subject.model, requests[place])
            _compare(subject, [answer], [place], "while other threads ask too", subject.tolerance)

    _ = subject.answers
    with ThreadPoolExecutor(_THREADS) as pool:
        for done in [pool.submit(work, thread) for thread in range(_THREADS)]:
            done.result()


def _present(kind: str) -> list[str]:
    """Return the devices of a kind on this machine; torch, which takes seconds to import, is asked only at need."""
    if kind == "cuda":
        return [f"cuda:{index}" for index in range(TorchDevices().cuda_count())]
    return [kind] if kind == "cpu" or TorchDevices().mps_available() else []


def _devices(subject: Subject) -> None:
    if subject.card.remote:
        raise NotApplicable("the model is remote")
    found = [device for kind in subject.card.devices for device in _present(kind)]
    if not found:
        raise NotApplicable(f"none of {', '.join(subject.card.devices)} is here")
    for device in found:
        with subject.loaded(device) as model:
            if isinstance(model, PlacedModel) and model.device.removesuffix(":0") != device.removesuffix(":0"):
                raise Failure(f"the model was placed on {device} and says that it is on {model.device}")
            if device != subject.device:
                _compare_all(subject, model, f"on {device}")


def _reload(subject: Subject) -> None:
    with subject.loaded() as model:
        subject.ask_one(model, subject.asked()[0])
    with subject.loaded() as model:
        _compare_all(subject, model, "when the model is loaded again")


def _compare_all(subject: Subject, model: Model, how: str) -> None:
    answers = [subject.ask_one(model, request) for request in subject.asked()]
    _compare(subject, answers, range(len(answers)), how, subject.tolerance)


def _cancel(subject: Subject) -> None:
    requests, context = _long_work(subject), CallContext(seed=SEED)
    raised: list[BaseException] = []

    def work() -> None:
        try:
            subject.ask(subject.model, requests, context)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=work, name="metier-testing-cancel", daemon=True)
    thread.start()
    thread.join(_CANCEL_AFTER_SECONDS)
    context.cancel()
    started = time.perf_counter()
    thread.join(CANCELLED_WITHIN_SECONDS)
    if thread.is_alive():
        subject.forget()
        raise Failure(f"{len(requests)} requests are still at work {CANCELLED_WITHIN_SECONDS:.0f} s after cancel()")
    if raised and not isinstance(raised[0], MetierError):
        took = time.perf_counter() - started
        raise Failure(f"{took:.2f} s after cancel() it raised {type(raised[0]).__name__}: {raised[0]}")


def _long_work(subject: Subject) -> list[Request[Any]]:
    """Return a batch that takes some seconds, as far as the card allows so large a one."""
    requests, seconds = subject.asked(), [taken for _, taken in subject.again]
    slowest = max(range(len(requests)), key=seconds.__getitem__)
    most = subject.card.tasks[requests[slowest].task].max_batch or _MOST_REQUESTS
    return [requests[slowest]] * min(most, math.ceil(_WORK_SECONDS / max(seconds[slowest], 1e-6)))


BEHAVIOUR = (
    Check(
        "determinism",
        "non-functional",
        "The same request with the same seed has the same answer.",
        "Draw from a generator seeded by context.seed, and keep nothing between calls that changes answers.",
        _determinism,
        needs=("contract",),
    ),
    Check(
        "batch-invariance",
        "non-functional",
        "A request has the same answer alone and in a batch, up to the rounding of bfloat16.",
        "Mask the padding, normalise over one item and never over the batch, and let no item look at another.",
        _batch_invariance,
        needs=("determinism", "order"),
    ),
    Check(
        "thread-safety",
        "non-functional",
        "A model whose card says thread_safe answers several threads at once as it answers one.",
        "Keep what belongs to a call out of the model's attributes, or leave thread_safe out of the card.",
        _thread_safety,
        needs=("determinism",),
    ),
    Check(
        "devices",
        "non-functional",
        "The model loads on each device of this machine that its card names, says so, and answers alike there.",
        "Load where placement.device says, name only devices that were tried, and report the true one in `device`.",
        _devices,
        needs=("determinism", "reload"),
    ),
    Check(
        "reload",
        "non-functional",
        "Loaded, closed and loaded again, the model answers as before.",
        "Let close() release what belongs to this model alone, and nothing that the module holds.",
        _reload,
        needs=("determinism",),
    ),
    Check(
        "cancel",
        "non-functional",
        "A call that is cancelled ends within 1 s, by its answers or a MetierError.",
        "Call context.check() between pieces of work: each item, batch, layer or token.",
        _cancel,
        needs=("contract",),
    ),
)
